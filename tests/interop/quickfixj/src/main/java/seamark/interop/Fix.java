package seamark.interop;

import java.math.BigDecimal;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Set;
import quickfix.FieldMap;
import quickfix.FieldNotFound;
import quickfix.Message;
import quickfix.StringField;

/**
 * FIX messages as text, so that the script reads like a log: "35=D 55=BTC/USD 38=0.5".
 *
 * <p>In what is expected, "58=*" is a field that has to be there, and "!41" one that must not be.
 */
final class Fix {
    static final int MSG_SEQ_NUM = 34;
    static final int MSG_TYPE = 35;
    static final int POSS_DUP = 43;
    static final int EXEC_ID = 17;

    private static final int TRANSACT_TIME = 60;
    /** The requests that need one. */
    private static final Set<String> TIMED = Set.of("D", "F", "G");
    /** Prices and quantities: 100 and 100.0 are the same to a client. */
    private static final Set<Integer> DECIMALS = Set.of(6, 14, 31, 32, 38, 44, 151);

    private Fix() {}

    /** A request to be sent, with TransactTime if need be; its header is the engine's. */
    static Message request(String text) {
        Message message = new Message();
        for (String field : text.split(" ")) {
            int tag = tag(field);
            FieldMap part = tag == MSG_TYPE ? message.getHeader() : message;
            part.setField(new StringField(tag, field.substring(field.indexOf('=') + 1)));
        }
        if (TIMED.contains(value(message, MSG_TYPE))) {
            message.setUtcTimeStamp(TRANSACT_TIME, LocalDateTime.now(ZoneOffset.UTC), true);
        }
        return message;
    }

    /** Throws when a message is not as expected; fields that are not named may be anything. */
    static void check(Message message, String expected) {
        for (String field : expected.split(" ")) {
            boolean absent = field.startsWith("!");
            int tag = absent ? Integer.parseInt(field.substring(1)) : tag(field);
            String wanted = absent ? null : field.substring(field.indexOf('=') + 1);
            if (!isAsWanted(tag, value(message, tag), wanted)) {
                throw new Failure("expected %s in %s", field, show(message));
            }
        }
    }

    /** The value of a field of header or body, null when it is not there. */
    static String value(Message message, int tag) {
        try {
            FieldMap header = message.getHeader();
            return header.isSetField(tag) ? header.getString(tag)
                : message.isSetField(tag) ? message.getString(tag)
                : null;
        } catch (FieldNotFound impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static boolean isPossDup(Message message) {
        return "Y".equals(value(message, POSS_DUP));
    }

    /** A message as it was on the wire, SOH as |. */
    static String show(Message message) {
        String raw = message.toRawString();
        return (raw == null ? message.toString() : raw).replace('\u0001', '|');
    }

    private static int tag(String field) {
        return Integer.parseInt(field.substring(0, field.indexOf('=')));
    }

    private static boolean isAsWanted(int tag, String value, String wanted) {
        if (value == null || wanted == null) {
            return value == null && wanted == null;
        }
        if (wanted.equals("*")) {
            return !value.isEmpty();
        }
        return DECIMALS.contains(tag)
            ? new BigDecimal(value).compareTo(new BigDecimal(wanted)) == 0
            : value.equals(wanted);
    }
}
