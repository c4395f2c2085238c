package seamark.interop;

import static seamark.interop.Failure.unless;

import java.util.List;
import quickfix.ConfigError;

/**
 * A trading day of two QuickFIX/J clients at the venue, checked step by step.
 *
 * <p>Arguments: data dictionary, directory for stores and logs, port of the buyer, of the seller.
 * One line for each step; the first failure ends the day, since what follows would build on it.
 */
final class Day implements AutoCloseable {
    private final Client buyer;
    private final Client seller;

    private Day(String dictionary, String directory, int buyerPort, int sellerPort)
            throws ConfigError {
        buyer = new Client("buyer", buyerPort, dictionary, directory);
        seller = new Client("seller", sellerPort, dictionary, directory);
    }

    public static void main(String[] args) throws ConfigError {
        boolean passed;
        try (Day day = new Day(
                args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]))) {
            passed = day.run();
        }
        System.exit(passed ? 0 : 1); // the engine's timers are no daemons
    }

    @Override
    public void close() {
        buyer.close();
        seller.close();
    }

    private boolean run() {
        Cuts cuts = new Cuts(buyer, seller);
        Numbers numbers = new Numbers(buyer);
        return step("session: log on", this::logOn)
            && step("orders: rest", this::rest)
            && step("orders: status", this::status)
            && step("orders: trade part of it", this::trade)
            && step("orders: replace it", this::replace)
            && step("orders: trade at a second price", this::tradeAgain)
            && step("orders: cancel it", this::cancel)
            && step("orders: cancel it again", this::cancelTooLate)
            && step("orders: market order against the other side", this::market)
            && step("orders: immediate or cancel", this::immediateOrCancel)
            && step("bad input: unknown symbol", () -> refused(
                "11=x1 55=DOGE/USD 54=1 38=1 40=2 44=100", "103=1"))
            && step("bad input: price off the tick", () -> refused(
                "11=x2 55=BTC/USD 54=1 38=1 40=2 44=100.05", "103=99"))
            && step("bad input: zero quantity", () -> refused(
                "11=x3 55=BTC/USD 54=1 38=0 40=2 44=100", "103=13"))
            && step("bad input: quantity above the maximum", () -> refused(
                "11=x4 55=BTC/USD 54=1 38=10001 40=2 44=100", "103=3"))
            && step("bad input: ClOrdID used before", () -> refused(
                "11=b1 55=BTC/USD 54=1 38=1 40=2 44=100", "103=6"))
            && step("bad input: cancel of an unknown order", this::cancelUnknown)
            && step("bad input: replacement of an unknown order", this::replaceUnknown)
            && step("bad input: status of an unknown order", this::statusUnknown)
            && step("bad input: limit order without a price", this::priceMissing)
            && step("bad input: value outside the dictionary", this::valueUnknown)
            && step("bad input: message type outside the dictionary", this::typeUnknown)
            && step("bad input: message type that is the venue's", this::typeNotOurs)
            && step("session: test request", this::testRequest)
            && step("session: heartbeats while idle", this::heartbeats)
            && step("session: no gap up to here", this::noGaps)
            && cuts.run(this::step)
            && step("disconnect: without cancel on disconnect", this::ordersSurvive)
            && step("disconnect: with cancel on disconnect", this::ordersGo)
            && step("cuts: every report once, and in order", this::reportsInOrder)
            && numbers.run(this::step)
            && step("logout: log out, log on: numbers go on", this::numbersGoOn)
            && step("session: nothing was rejected by the engine", this::nothingRejected)
            && step("logout: log out", this::logOut);
    }

    /** What a step checks; it returns a remark for its line, or throws. Its name has its area. */
    interface Check {
        String run() throws Exception;
    }

    private boolean step(String name, Check check) {
        try {
            String remark = check.run();
            System.out.println("ok   " + name + (remark.isEmpty() ? "" : ": " + remark));
            return true;
        } catch (Exception error) {
            String what = error instanceof Failure ? error.getMessage() : error.toString();
            System.out.println("FAIL " + name + ": " + what);
            return false;
        }
    }

    // --- the session ---------------------------------------------------------------------

    private String logOn() {
        for (Client client : List.of(buyer, seller)) {
            client.awaitOnline();
            unless(client.session.getDataDictionary().isMsgField("A", 8013),
                "the engine does not use the venue's dictionary");
            Fix.check(client.logonReceived(), "34=1 98=0 108=5 !141 !8013");
        }
        return "both sessions, validating with the venue's dictionary";
    }

    private String testRequest() {
        int answers = buyer.received("0");
        buyer.session.generateTestRequest("PING");
        buyer.await(() -> buyer.received("0") > answers, "got no answer to a TestRequest");
        return "";
    }

    private String heartbeats() {
        for (Client client : List.of(buyer, seller)) {
            int in = client.received("0");
            int out = client.sent("0");
            client.await(() -> client.received("0") > in && client.sent("0") > out,
                "saw no Heartbeats both ways");
        }
        return "both ways";
    }

    private String noGaps() {
        for (Client client : List.of(buyer, seller)) {
            unless(client.sent("2") + client.received("2") + client.received("4") == 0,
                "%s has seen a gap, and nothing was cut yet", client.name);
        }
        return "";
    }

    private String numbersGoOn() {
        for (Client client : List.of(buyer, seller)) {
            client.logout();
            int nextOut = client.session.getExpectedSenderNum();
            int nextIn = client.session.getExpectedTargetNum();
            int gaps = gaps(client);
            client.logon(false);
            Fix.check(client.logonSent(), "34=%d !141".formatted(nextOut));
            Fix.check(client.logonReceived(), "34=%d !141".formatted(nextIn));
            client.send("35=H 11=s1 55=BTC/USD 54=2");
            client.expect("35=8 !43 150=I");
            unless(gaps(client) == gaps, "%s saw a gap after an orderly logout", client.name);
        }
        return "buyer at %d in and %d out, seller at %d and %d".formatted(
            buyer.session.getExpectedTargetNum(), buyer.session.getExpectedSenderNum(),
            seller.session.getExpectedTargetNum(), seller.session.getExpectedSenderNum());
    }

    private static int gaps(Client client) {
        return client.sent("2") + client.received("2") + client.sent("4") + client.received("4");
    }

    private String nothingRejected() {
        for (Client client : List.of(buyer, seller)) {
            unless(client.sent("3") + client.sent("j") == 0,
                "%s rejected messages of the venue; see the engine's log", client.name);
            unless(client.waiting() == 0, "%s got %d messages more than expected", client.name,
                client.waiting());
        }
        return "%d and %d reports were valid".formatted(buyer.received("8"), seller.received("8"));
    }

    private String logOut() {
        buyer.logout();
        seller.logout();
        return "";
    }

    // --- orders --------------------------------------------------------------------------

    private String rest() {
        seller.send("35=D 11=s1 1=ACC 55=BTC/USD 54=2 38=2 40=2 44=100");
        seller.expect("35=8 150=0 39=0 11=s1 1=ACC 37=* 17=* 55=BTC/USD 54=2 38=2 40=2 44=100 59=1"
            + " 151=2 14=0 6=0 60=* !41 !58 !31 !32");
        return "";
    }

    private String status() {
        seller.send("35=H 11=s1 55=BTC/USD 54=2 790=q1");
        seller.expect("35=8 150=I 39=0 11=s1 790=q1 151=2 14=0 6=0");
        return "";
    }

    private String trade() {
        buyer.send("35=D 11=b1 55=BTC/USD 54=1 38=0.5 40=2 44=100.5 59=1");
        buyer.expect("35=8 150=0 39=0 11=b1 151=0.5 14=0 6=0");
        buyer.expect("35=8 150=F 39=2 11=b1 31=100 32=0.5 151=0 14=0.5 6=100 851=2");
        seller.expect("35=8 150=F 39=1 11=s1 31=100 32=0.5 151=1.5 14=0.5 6=100 851=1 38=2");
        return "both sides have the resting price";
    }

    private String replace() {
        seller.send("35=G 11=s2 41=s1 55=BTC/USD 54=2 38=3 40=2 44=101");
        seller.expect("35=8 150=5 39=1 11=s2 41=s1 38=3 44=101 151=2.5 14=0.5 6=100 !31 !32");
        return "";
    }

    private String tradeAgain() {
        buyer.send("35=D 11=b2 55=BTC/USD 54=1 38=1.5 40=2 44=101");
        buyer.expect("35=8 150=0 39=0 11=b2 151=1.5 14=0 6=0");
        buyer.expect("35=8 150=F 39=2 11=b2 31=101 32=1.5 151=0 14=1.5 6=101");
        seller.expect("35=8 150=F 39=1 11=s2 31=101 32=1.5 151=1 14=2 6=100.75 !41");
        return "AvgPx 100.75";
    }

    private String cancel() {
        seller.send("35=F 11=s3 41=s2 55=BTC/USD 54=2");
        seller.expect("35=8 150=4 39=4 11=s3 41=s2 151=0 14=2 6=100.75 !58 !378");
        return "";
    }

    private String cancelTooLate() {
        seller.send("35=F 11=s4 41=s3 55=BTC/USD 54=2");
        seller.expect("35=9 11=s4 41=s3 37=* 39=4 102=0 434=1 58=*");
        return "";
    }

    private String market() {
        buyer.send("35=D 11=b3 55=BTC/USD 54=1 38=1 40=2 44=99");
        buyer.expect("35=8 150=0 39=0 11=b3 151=1");
        seller.send("35=D 11=s5 55=BTC/USD 54=2 38=0.4 40=1");
        seller.expect("35=8 150=0 39=0 11=s5 40=1 151=0.4 !44");
        seller.expect("35=8 150=F 39=2 11=s5 31=99 32=0.4 151=0 14=0.4 6=99");
        buyer.expect("35=8 150=F 39=1 11=b3 31=99 32=0.4 151=0.6 14=0.4 6=99");
        return "";
    }

    private String immediateOrCancel() {
        seller.send("35=D 11=s6 55=BTC/USD 54=2 38=1 40=2 44=99 59=3");
        seller.expect("35=8 150=0 39=0 11=s6 59=3 151=1");
        seller.expect("35=8 150=F 39=1 11=s6 31=99 32=0.6 151=0.4 14=0.6");
        seller.expect("35=8 150=4 39=4 11=s6 151=0 14=0.6 6=99 58=* 378=* !41");
        buyer.expect("35=8 150=F 39=2 11=b3 31=99 32=0.6 151=0 14=1 6=99");
        return "the rest is cancelled";
    }

    // --- bad input -----------------------------------------------------------------------

    private String refused(String order, String reason) {
        buyer.send("35=D " + order);
        return text(buyer.expect("35=8 150=8 39=8 %s 37=* 17=* 58=* %s 151=0 14=0 6=0",
            order.substring(0, order.indexOf(' ')), reason));
    }

    private String cancelUnknown() {
        buyer.send("35=F 11=x5 41=nobody 55=BTC/USD 54=1");
        return text(buyer.expect("35=9 11=x5 41=nobody 37=NONE 39=8 102=1 434=1 58=*"));
    }

    private String replaceUnknown() {
        buyer.send("35=G 11=x6 41=nobody 55=BTC/USD 54=1 38=1 40=2 44=100");
        return text(buyer.expect("35=9 11=x6 41=nobody 37=NONE 39=8 102=1 434=2 58=*"));
    }

    private String statusUnknown() {
        buyer.send("35=H 11=nobody 55=BTC/USD 54=1");
        return text(buyer.expect("35=8 150=I 39=8 11=nobody 37=NONE 103=5 58=* 151=0 14=0"));
    }

    private String priceMissing() {
        buyer.send("35=D 11=x7 55=BTC/USD 54=1 38=1 40=2");
        return text(buyer.expect("35=j 372=D 379=x7 380=5 58=*"));
    }

    private String valueUnknown() {
        buyer.send("35=D 11=x8 55=BTC/USD 54=1 38=1 40=3 44=100");
        return text(buyer.expect("35=3 45=* 372=D 371=40 373=5 58=*"));
    }

    private String typeUnknown() {
        buyer.send("35=BE 923=u1 924=1 553=me");
        return text(buyer.expect("35=j 45=* 372=BE 380=3 58=*"));
    }

    private String typeNotOurs() {
        buyer.send("35=9 37=1 11=x9 41=x9 39=8 434=1");
        return text(buyer.expect("35=j 45=* 372=9 380=3 58=*"));
    }

    private static String text(quickfix.Message message) {
        return Fix.value(message, 58);
    }

    // --- open orders of those who are cut off --------------------------------------------

    private String ordersSurvive() {
        seller.send("35=D 11=n1 55=BTC/USD 54=2 38=1 40=2 44=500");
        seller.expect("35=8 150=0 39=0 11=n1");
        dropNow(seller);
        seller.send("35=H 11=n1 55=BTC/USD 54=2");
        seller.expect("35=8 150=I 39=0 11=n1 151=1");
        seller.send("35=F 11=n2 41=n1 55=BTC/USD 54=2");
        seller.expect("35=8 150=4 39=4 11=n2 41=n1");
        return "the order is still open";
    }

    private String ordersGo() {
        buyer.logout();
        buyer.logon(true);
        Fix.check(buyer.logonReceived(), "8013=Y");
        for (int i = 1; i <= 3; i++) {
            buyer.send("35=D 11=c%d 55=BTC/USD 54=1 38=%d 40=2 44=50", i, i);
            buyer.expect("35=8 150=0 39=0 11=c%d", i);
        }
        buyer.send("35=F 11=c4 41=c2 55=BTC/USD 54=1"); // a closed one has nothing to cancel
        buyer.expect("35=8 150=4 39=4 11=c4 41=c2 !58");
        dropNow(buyer);
        buyer.expect("35=8 43=Y 122=* 150=4 39=4 11=c1 151=0 14=0 378=* 58=* !41");
        String text = text(buyer.expect("35=8 43=Y 150=4 39=4 11=c3 151=0 14=0 378=* 58=* !41"));
        buyer.send("35=H 11=c1 55=BTC/USD 54=1");
        buyer.expect("35=8 !43 150=I 39=4 11=c1 151=0");
        return "2 unsolicited cancels by resend: " + text;
    }

    private static void dropNow(Client client) {
        client.wire.cutAfter(0, Wire.Direction.TO_CLIENT);
        client.wire.awaitCut();
        client.awaitOffline();
        client.wire.open();
        client.awaitOnline();
    }

    private String reportsInOrder() {
        for (Client client : List.of(buyer, seller)) {
            // The venue's ExecIDs are "position-index": where in its journal the cause stands, and
            // which of the events that it had. So they ascend in the order of sending.
            long last = 0;
            for (String id : client.execIds()) {
                String[] parts = id.split("-");
                long now = Long.parseLong(parts[0]) * 1_000_000 + Long.parseLong(parts[1]);
                unless(now > last, "%s got ExecID %s twice or too late", client.name, id);
                last = now;
            }
        }
        return "%d to the buyer, %d to the seller".formatted(
            buyer.execIds().size(), seller.execIds().size());
    }
}
