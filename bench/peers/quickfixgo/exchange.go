package main

import (
	"strconv"
	"sync"
	"time"

	"github.com/quickfixgo/quickfix"
)

const (
	tagAvgPx        = 6
	tagClOrdID      = 11
	tagCumQty       = 14
	tagExecID       = 17
	tagLastPx       = 31
	tagLastQty      = 32
	tagMsgType      = 35
	tagOrderID      = 37
	tagOrderQty     = 38
	tagOrdStatus    = 39
	tagOrdType      = 40
	tagPrice        = 44
	tagSide         = 54
	tagSymbol       = 55
	tagTransactTime = 60
	tagExecType     = 150
	tagLeavesQty    = 151

	buy   = "1"
	limit = "2"
)

// order is one that rests, or that has just come.
type order struct {
	session                   quickfix.SessionID
	id, clOrdID, symbol, side string
	price, quantity           float64
	filled, value             float64
}

func (o *order) leaves() float64 { return o.quantity - o.filled }

// exchange is an application of the engine. Every session has a goroutine: one at a time matches.
type exchange struct {
	mutex              sync.Mutex
	books              map[string]*book
	orders, executions int
}

func newExchange() *exchange { return &exchange{books: map[string]*book{}} }

func (e *exchange) OnCreate(quickfix.SessionID)                       {}
func (e *exchange) OnLogon(quickfix.SessionID)                        {}
func (e *exchange) OnLogout(quickfix.SessionID)                       {}
func (e *exchange) ToAdmin(*quickfix.Message, quickfix.SessionID)     {}
func (e *exchange) ToApp(*quickfix.Message, quickfix.SessionID) error { return nil }
func (e *exchange) FromAdmin(*quickfix.Message, quickfix.SessionID) quickfix.MessageRejectError {
	return nil
}

// FromApp takes an order: the only message that there is.
func (e *exchange) FromApp(
	message *quickfix.Message, session quickfix.SessionID,
) quickfix.MessageRejectError {
	kind, err := message.Header.GetString(tagMsgType)
	if err != nil {
		return err
	}
	if kind != "D" {
		return quickfix.UnsupportedMessageType()
	}
	incoming := &order{session: session}
	for tag, place := range map[quickfix.Tag]*string{
		tagClOrdID: &incoming.clOrdID, tagSymbol: &incoming.symbol, tagSide: &incoming.side,
	} {
		if *place, err = message.Body.GetString(tag); err != nil {
			return err
		}
	}
	if kind, err = message.Body.GetString(tagOrdType); err != nil {
		return err
	}
	if kind != limit {
		return quickfix.ValueIsIncorrect(tagOrdType)
	}
	var price, quantity quickfix.FIXFloat
	if err = message.Body.GetField(tagPrice, &price); err != nil {
		return err
	}
	if err = message.Body.GetField(tagOrderQty, &quantity); err != nil {
		return err
	}
	incoming.price, incoming.quantity = price.Float64(), quantity.Float64()
	if failure := e.enter(incoming); failure != nil {
		return quickfix.NewBusinessMessageRejectError(failure.Error(), 0, nil)
	}
	return nil
}

// enter acknowledges an order, trades with the best of the other side while there is one, and has
// the rest of it rest.
func (e *exchange) enter(taker *order) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.orders++
	taker.id = strconv.Itoa(e.orders)
	if err := e.report(taker, "0", 0, 0); err != nil {
		return err
	}
	symbol := e.books[taker.symbol]
	if symbol == nil {
		symbol = newBook()
		e.books[taker.symbol] = symbol
	}
	own, other := symbol.sides(taker.side)
	for taker.leaves() > 0 {
		maker := other.best()
		if maker == nil || !crosses(taker, maker.price) {
			break
		}
		quantity := min(taker.leaves(), maker.leaves())
		for _, one := range []*order{taker, maker} {
			one.filled += quantity
			one.value += quantity * maker.price
			if err := e.report(one, "F", maker.price, quantity); err != nil {
				return err
			}
		}
		if maker.leaves() <= 0 {
			other.removeBest()
		}
	}
	if taker.leaves() > 0 {
		own.add(taker)
	}
	return nil
}

func crosses(taker *order, price float64) bool {
	if taker.side == buy {
		return price <= taker.price
	}
	return price >= taker.price
}

func (e *exchange) report(o *order, execType string, price, quantity float64) error {
	e.executions++
	status, average := "0", 0.0
	if o.filled > 0 {
		status, average = "2", o.value/o.filled
		if o.leaves() > 0 {
			status = "1"
		}
	}
	report := quickfix.NewMessage()
	report.Header.SetString(tagMsgType, "8")
	body := &report.Body
	body.SetString(tagOrderID, o.id)
	body.SetInt(tagExecID, e.executions)
	body.SetString(tagExecType, execType)
	body.SetString(tagOrdStatus, status)
	body.SetString(tagClOrdID, o.clOrdID)
	body.SetString(tagSymbol, o.symbol)
	body.SetString(tagSide, o.side)
	body.SetString(tagOrdType, limit)
	body.SetField(tagTransactTime, quickfix.FIXUTCTimestamp{Time: time.Now().UTC()})
	number := func(tag quickfix.Tag, value float64) {
		body.SetField(tag, quickfix.FIXFloat(value))
	}
	number(tagOrderQty, o.quantity)
	number(tagPrice, o.price)
	number(tagLeavesQty, o.leaves())
	number(tagCumQty, o.filled)
	number(tagAvgPx, average)
	if quantity > 0 {
		number(tagLastQty, quantity)
		number(tagLastPx, price)
	}
	return quickfix.SendToTarget(report, o.session)
}
