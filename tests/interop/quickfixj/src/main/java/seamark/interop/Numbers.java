package seamark.interop;

import static seamark.interop.Failure.unless;

import java.io.IOException;
import java.util.function.BiPredicate;

/** Sequence numbers that do not fit, and such that begin anew. */
final class Numbers {
    private static final int SKIPPED = 5;

    private final Client client;

    Numbers(Client client) {
        this.client = client;
    }

    /** All of it, by `step` of the day. */
    boolean run(BiPredicate<String, Day.Check> step) {
        return step.test("resend: what the engine has forgotten", this::forgotten)
            && step.test("resend: what the engine has never sent", this::neverSent)
            && step.test("reset: at logon", this::resetAtLogon)
            && step.test("reset: in session", this::resetInSession);
    }

    /** Reports with Heartbeats and Logons between: those come as gap fills. */
    private String forgotten() throws IOException {
        int first = status();
        ping();
        status();
        client.logout();
        int fills = client.received("4");
        client.session.setNextTargetMsgSeqNum(first);
        client.logon(false);
        client.expect("35=8 43=Y 122=* 150=I");
        client.expect("35=8 43=Y 122=* 150=I");
        ping();
        unless(client.received("4") == fills + 2, "%d gap fills", client.received("4") - fills);
        return "2 reports and 2 gap fills";
    }

    /** Numbers that were left out: the venue asks, and is content with a gap fill. */
    private String neverSent() throws IOException {
        client.logout();
        int asked = client.received("2");
        int fills = client.sent("4");
        client.session.setNextSenderMsgSeqNum(client.session.getExpectedSenderNum() + SKIPPED);
        client.logon(false);
        // Not earlier: a TestRequest that is made before the gap fill would be covered by it.
        client.await(() -> client.sent("4") > fills, "sent no gap fill");
        ping();
        status();
        unless(client.received("2") == asked + 1, "the venue did not ask once");
        return SKIPPED + " numbers and the Logon, by gap fill";
    }

    private String resetAtLogon() {
        client.logout();
        client.logonWithReset();
        return begun();
    }

    private String resetInSession() {
        int logons = client.received("A");
        client.send("35=A 98=0 108=5 141=Y");
        client.await(() -> client.received("A") > logons, "got no Logon back");
        return begun();
    }

    /** Both sides have begun anew, and what was before is still known. */
    private String begun() {
        Fix.check(client.logonSent(), "34=1 141=Y");
        Fix.check(client.logonReceived(), "34=1 141=Y");
        unless(status() == 2, "the first report after a reset has not the number 2");
        return "34=1 141=Y both ways";
    }

    /** Asks for the status of an order; the number of the report. */
    private int status() {
        client.send("35=H 11=b1 55=BTC/USD 54=1");
        return Integer.parseInt(Fix.value(client.expect("35=8 !43 150=I"), Fix.MSG_SEQ_NUM));
    }

    /** A TestRequest and its answer: what was on its way before has arrived. */
    private void ping() {
        int answers = client.received("0");
        client.session.generateTestRequest("PING");
        client.await(() -> client.received("0") > answers, "got no answer to a TestRequest");
    }
}
