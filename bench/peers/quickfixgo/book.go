package main

import "sort"

// book has the orders of one symbol that rest.
type book struct{ bids, asks *side }

func newBook() *book {
	return &book{
		bids: &side{levels: map[float64][]*order{}, isWorse: func(a, b float64) bool { return a < b }},
		asks: &side{levels: map[float64][]*order{}, isWorse: func(a, b float64) bool { return a > b }},
	}
}

// sides returns that of an order of this side, and the other.
func (b *book) sides(code string) (own, other *side) {
	if code == buy {
		return b.bids, b.asks
	}
	return b.asks, b.bids
}

// side is one of a book: prices in order, the best last; at each price the oldest order first.
type side struct {
	prices  []float64
	levels  map[float64][]*order
	isWorse func(a, b float64) bool
}

func (s *side) best() *order {
	if len(s.prices) == 0 {
		return nil
	}
	return s.levels[s.prices[len(s.prices)-1]][0]
}

func (s *side) removeBest() {
	price := s.prices[len(s.prices)-1]
	rest := s.levels[price][1:]
	if len(rest) > 0 {
		s.levels[price] = rest
		return
	}
	delete(s.levels, price)
	s.prices = s.prices[:len(s.prices)-1]
}

func (s *side) add(o *order) {
	level, isThere := s.levels[o.price]
	if !isThere {
		at := sort.Search(len(s.prices), func(i int) bool { return !s.isWorse(s.prices[i], o.price) })
		s.prices = append(s.prices, 0)
		copy(s.prices[at+1:], s.prices[at:])
		s.prices[at] = o.price
	}
	s.levels[o.price] = append(level, o)
}
