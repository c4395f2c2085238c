package seamark.bench;

import quickfix.SessionID;

/** One that rests, or that has just come. */
final class Order {
    final SessionID session;
    final String id;
    final String clOrdId;
    final String symbol;
    final char side;
    final double price;
    final double quantity;
    double filled;
    double value; // of what is filled

    Order(
        SessionID session, String id, String clOrdId, String symbol, char side, double price,
        double quantity) {
        this.session = session;
        this.id = id;
        this.clOrdId = clOrdId;
        this.symbol = symbol;
        this.side = side;
        this.price = price;
        this.quantity = quantity;
    }

    double leaves() {
        return quantity - filled;
    }
}
