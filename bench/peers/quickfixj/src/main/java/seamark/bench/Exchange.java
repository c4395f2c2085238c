package seamark.bench;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import quickfix.ApplicationAdapter;
import quickfix.FieldNotFound;
import quickfix.IncorrectTagValue;
import quickfix.Message;
import quickfix.Session;
import quickfix.SessionID;
import quickfix.SessionNotFound;
import quickfix.UnsupportedMessageType;
import quickfix.field.MsgType;

/** The books, as an application of the engine. */
final class Exchange extends ApplicationAdapter {
    private static final int AVG_PX = 6;
    private static final int CL_ORD_ID = 11;
    private static final int CUM_QTY = 14;
    private static final int EXEC_ID = 17;
    private static final int LAST_PX = 31;
    private static final int LAST_QTY = 32;
    private static final int ORDER_ID = 37;
    private static final int ORDER_QTY = 38;
    private static final int ORD_STATUS = 39;
    private static final int ORD_TYPE = 40;
    private static final int PRICE = 44;
    private static final int SIDE = 54;
    private static final int SYMBOL = 55;
    private static final int TRANSACT_TIME = 60;
    private static final int EXEC_TYPE = 150;
    private static final int LEAVES_QTY = 151;

    private static final char LIMIT = '2';
    private static final char BUY = '1';
    private static final char NEW = '0'; // an ExecType, and an OrdStatus
    private static final char TRADE = 'F';
    private static final char PARTIALLY_FILLED = '1';
    private static final char FILLED = '2';

    /** Best price first, at each price the oldest order first. */
    private static final class Book {
        final TreeMap<Double, ArrayDeque<Order>> bids = new TreeMap<>(Comparator.reverseOrder());
        final TreeMap<Double, ArrayDeque<Order>> asks = new TreeMap<>();
    }

    private final Map<String, Book> books = new HashMap<>();
    private long orders;
    private long executions;

    @Override
    public void fromApp(Message message, SessionID session)
        throws FieldNotFound, IncorrectTagValue, UnsupportedMessageType {
        if (!message.getHeader().getString(MsgType.FIELD).equals("D")) {
            throw new UnsupportedMessageType();
        }
        if (message.getChar(ORD_TYPE) != LIMIT) {
            throw new IncorrectTagValue(ORD_TYPE);
        }
        Order order = new Order(
            session, Long.toString(++orders), message.getString(CL_ORD_ID),
            message.getString(SYMBOL), message.getChar(SIDE),
            message.getDouble(PRICE), message.getDouble(ORDER_QTY));
        report(order, NEW, 0, 0);
        Book book = books.computeIfAbsent(order.symbol, symbol -> new Book());
        if (order.side == BUY) {
            match(order, book.bids, book.asks);
        } else {
            match(order, book.asks, book.bids);
        }
    }

    /** Trades with the best of the other side while there is one, then rests. */
    private void match(
        Order taker, TreeMap<Double, ArrayDeque<Order>> own,
        TreeMap<Double, ArrayDeque<Order>> other) {
        while (taker.leaves() > 0 && !other.isEmpty()) {
            Map.Entry<Double, ArrayDeque<Order>> level = other.firstEntry();
            double price = level.getKey();
            if (taker.side == BUY ? price > taker.price : price < taker.price) {
                break;
            }
            Order maker = level.getValue().peekFirst();
            double quantity = Math.min(taker.leaves(), maker.leaves());
            fill(taker, price, quantity);
            fill(maker, price, quantity);
            if (maker.leaves() <= 0) {
                level.getValue().removeFirst();
                if (level.getValue().isEmpty()) {
                    other.pollFirstEntry();
                }
            }
        }
        if (taker.leaves() > 0) {
            own.computeIfAbsent(taker.price, price -> new ArrayDeque<>()).addLast(taker);
        }
    }

    private void fill(Order order, double price, double quantity) {
        order.filled += quantity;
        order.value += price * quantity;
        report(order, TRADE, price, quantity);
    }

    private void report(Order order, char execType, double price, double quantity) {
        char status = order.filled == 0 ? NEW
            : order.leaves() > 0 ? PARTIALLY_FILLED : FILLED;
        Message report = new Message();
        report.getHeader().setString(MsgType.FIELD, "8");
        report.setString(ORDER_ID, order.id);
        report.setString(EXEC_ID, Long.toString(++executions));
        report.setChar(EXEC_TYPE, execType);
        report.setChar(ORD_STATUS, status);
        report.setString(CL_ORD_ID, order.clOrdId);
        report.setString(SYMBOL, order.symbol);
        report.setChar(SIDE, order.side);
        report.setChar(ORD_TYPE, LIMIT);
        report.setDouble(ORDER_QTY, order.quantity);
        report.setDouble(PRICE, order.price);
        report.setDouble(LEAVES_QTY, order.leaves());
        report.setDouble(CUM_QTY, order.filled);
        report.setDouble(AVG_PX, order.filled > 0 ? order.value / order.filled : 0);
        report.setUtcTimeStamp(TRANSACT_TIME, LocalDateTime.now(ZoneOffset.UTC), true);
        if (quantity > 0) {
            report.setDouble(LAST_QTY, quantity);
            report.setDouble(LAST_PX, price);
        }
        try {
            Session.sendToTarget(report, order.session);
        } catch (SessionNotFound error) {
            throw new IllegalStateException(error);
        }
    }
}
