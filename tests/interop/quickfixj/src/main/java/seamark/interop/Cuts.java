package seamark.interop;

import static seamark.interop.Failure.unless;
import static seamark.interop.Wire.Direction.TO_CLIENT;
import static seamark.interop.Wire.Direction.TO_VENUE;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.function.BiPredicate;
import quickfix.Message;

/**
 * Connections that are cut in the middle of a stream of messages.
 *
 * <p>In each round the seller rests many orders and the buyer takes them all. Somewhere in between
 * one of the two is cut off after so many bytes, comes back, and must have all that it missed: the
 * engine asks for it by ResendRequest, and so does the venue for requests that it missed.
 */
final class Cuts {
    /** More than the venue puts into one page of a resend, 256. */
    private static final int ORDERS = 300;

    private static final BigDecimal SIZE = new BigDecimal("0.001");
    private static final BigDecimal TICK = new BigDecimal("0.1");

    private final Client buyer;
    private final Client seller;
    private int round;

    Cuts(Client buyer, Client seller) {
        this.buyer = buyer;
        this.seller = seller;
    }

    /** What the buyer takes the orders with. */
    private enum Sweep { ONE_ORDER, MANY_ORDERS }

    /** What is going on when the cut comes: orders going in, or being taken. */
    private enum While { RESTING, SWEEPING }

    /** Who is cut off, and after how many bytes; then once more while it catches up, if not 0. */
    private record Cut(Client client, Wire.Direction direction, int bytes, int bytesAgain) {}

    /** All rounds, by `step` of the day. */
    boolean run(BiPredicate<String, Day.Check> step) {
        return step.test("cuts: reports to the seller, at byte 1",
                () -> round(While.SWEEPING, Sweep.ONE_ORDER, new Cut(seller, TO_CLIENT, 1, 0)))
            && step.test("cuts: reports to the seller, at byte 20000",
                () -> round(While.SWEEPING, Sweep.MANY_ORDERS,
                    new Cut(seller, TO_CLIENT, 20_000, 0)))
            && step.test("cuts: reports to the buyer, at byte 7777",
                () -> round(While.SWEEPING, Sweep.ONE_ORDER, new Cut(buyer, TO_CLIENT, 7_777, 0)))
            && step.test("cuts: orders of the buyer, at byte 9999",
                () -> round(While.SWEEPING, Sweep.MANY_ORDERS, new Cut(buyer, TO_VENUE, 9_999, 0)))
            && step.test("cuts: orders of the seller, at byte 150",
                () -> round(While.RESTING, Sweep.ONE_ORDER, new Cut(seller, TO_VENUE, 150, 0)))
            && step.test("cuts: reports to the seller, at byte 33333, and the resend at 12345",
                () -> round(While.SWEEPING, Sweep.ONE_ORDER,
                    new Cut(seller, TO_CLIENT, 33_333, 12_345)))
            && step.test("cuts: a replacement, in its middle", this::lostRequest);
    }

    private String round(While when, Sweep sweep, Cut cut) {
        round++;
        Before before = new Before(cut.client);
        String remark = "";
        if (when == While.RESTING) {
            cut.client.wire.cutAfter(cut.bytes, cut.direction);
        }
        for (int i = 0; i < ORDERS; i++) {
            seller.send("35=D 11=%s 55=BTC/USD 54=2 38=%s 40=2 44=%s", id("s", i), SIZE, price(i));
        }
        if (when == While.RESTING) {
            remark = heal(cut);
        }
        List<Message> rested = seller.take(ORDERS);
        for (int i = 0; i < ORDERS; i++) {
            Fix.check(rested.get(i), "35=8 150=0 39=0 11=%s 44=%s 151=%s 14=0 6=0".formatted(
                id("s", i), price(i), SIZE));
        }
        if (when == While.SWEEPING) {
            cut.client.wire.cutAfter(cut.bytes, cut.direction);
        }
        buy(sweep);
        if (when == While.SWEEPING) {
            remark = heal(cut);
        }
        checkSeller();
        checkBuyer(sweep);
        return remark + before.whatWasResent(cut.direction, cut.bytesAgain > 0 ? 2 : 1);
    }

    private void buy(Sweep sweep) {
        BigDecimal size = sweep == Sweep.ONE_ORDER ? times(SIZE, ORDERS) : SIZE;
        for (int i = 0; i < (sweep == Sweep.ONE_ORDER ? 1 : ORDERS); i++) {
            buyer.send("35=D 11=%s 55=BTC/USD 54=1 38=%s 40=2 44=%s", id("b", i), size,
                price(ORDERS - 1));
        }
    }

    /** Waits for the cut, lets the client connect again, and says how far the stream had come. */
    private static String heal(Cut cut) {
        Wire wire = cut.client.wire;
        wire.awaitCut();
        cut.client.awaitOffline();
        String remark = "%d reports before, ".formatted(cut.client.waiting());
        if (cut.bytesAgain > 0) {
            wire.cutAfter(cut.bytesAgain, cut.direction);
            wire.open();
            wire.awaitCut();
            cut.client.awaitOffline();
            remark += "%d before the second cut, ".formatted(cut.client.waiting());
        }
        wire.open();
        return remark;
    }

    private void checkSeller() {
        List<Message> fills = seller.take(ORDERS);
        for (int i = 0; i < ORDERS; i++) {
            Fix.check(fills.get(i),
                "35=8 150=F 39=2 11=%1$s 31=%2$s 32=%3$s 151=0 14=%3$s 6=%2$s 851=1".formatted(
                    id("s", i), price(i), SIZE));
        }
    }

    private void checkBuyer(Sweep sweep) {
        boolean isOne = sweep == Sweep.ONE_ORDER;
        List<Message> reports = buyer.take(isOne ? ORDERS + 1 : 2 * ORDERS);
        for (int i = 0; i < ORDERS; i++) {
            if (i == 0 || !isOne) {
                Fix.check(reports.get(isOne ? 0 : 2 * i),
                    "35=8 150=0 39=0 11=%s 14=0".formatted(id("b", i)));
            }
            int fills = isOne ? i + 1 : 1;
            int left = isOne ? ORDERS - fills : 0;
            // The mean of prices that ascend tick by tick is that of the first and the last.
            BigDecimal mean = isOne
                ? price(0).add(price(i)).divide(BigDecimal.valueOf(2), 2, RoundingMode.UNNECESSARY)
                : price(i);
            Fix.check(reports.get(isOne ? i + 1 : 2 * i + 1),
                "35=8 150=F 39=%d 11=%s 31=%s 32=%s 151=%s 14=%s 6=%s 851=2".formatted(
                    left > 0 ? 1 : 2, id("b", isOne ? 0 : i), price(i), SIZE, times(SIZE, left),
                    times(SIZE, fills), mean));
        }
    }

    /** A request that got lost, and one made while away: the venue asks for both. */
    private String lostRequest() {
        seller.send("35=D 11=l1 55=BTC/USD 54=2 38=1 40=2 44=300");
        seller.expect("35=8 150=0 39=0 11=l1");
        Before before = new Before(seller);
        seller.wire.cutAfter(40, TO_VENUE);
        seller.send("35=G 11=l2 41=l1 55=BTC/USD 54=2 38=2 40=2 44=301");
        seller.wire.awaitCut();
        seller.awaitOffline();
        seller.send("35=F 11=l3 41=l2 55=BTC/USD 54=2");
        seller.wire.open();
        seller.expect("35=8 !43 150=5 39=0 11=l2 41=l1 38=2 44=301 151=2");
        seller.expect("35=8 !43 150=4 39=4 11=l3 41=l2 151=0");
        unless(before.requestsResent() == 2, "%d requests were resent", before.requestsResent());
        return before.whatWasResent(TO_VENUE, 1);
    }

    private String id(String side, int number) {
        return "%d%s%d".formatted(round, side, number);
    }

    private static BigDecimal price(int number) {
        return times(TICK, 1000 + number);
    }

    private static BigDecimal times(BigDecimal value, int count) {
        return value.multiply(BigDecimal.valueOf(count));
    }

    /** What a client had sent and received again before a round began. */
    private static final class Before {
        private final Client client;
        private final int reports;
        private final int requests;
        private final int asked;
        private final int wasAsked;

        Before(Client client) {
            this.client = client;
            reports = client.received("8/dup");
            requests = resent(client);
            asked = client.sent("2");
            wasAsked = client.received("2");
        }

        int requestsResent() {
            return resent(client) - requests;
        }

        /** A remark; throws when the cuts were not healed by one ResendRequest each. */
        String whatWasResent(Wire.Direction direction, int cuts) {
            boolean isOurs = direction == TO_CLIENT;
            int requestsForIt = isOurs ? client.sent("2") - asked : client.received("2") - wasAsked;
            unless(requestsForIt == cuts, "%d ResendRequests for %d cuts", requestsForIt, cuts);
            int reportsResent = client.received("8/dup") - reports;
            unless((isOurs ? reportsResent : requestsResent()) > 0, "nothing was resent");
            return "%d reports and %d requests by resend".formatted(
                reportsResent, requestsResent());
        }

        private static int resent(Client client) {
            return client.sent("D/dup") + client.sent("F/dup") + client.sent("G/dup");
        }
    }
}
