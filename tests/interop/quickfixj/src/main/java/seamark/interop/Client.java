package seamark.interop;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import quickfix.Application;
import quickfix.ConfigError;
import quickfix.DefaultMessageFactory;
import quickfix.FileLogFactory;
import quickfix.FileStoreFactory;
import quickfix.Message;
import quickfix.Session;
import quickfix.SessionID;
import quickfix.SessionSettings;
import quickfix.SocketInitiator;

/** One session with the venue: a QuickFIX/J initiator, and all that it has sent and received. */
final class Client implements Application, AutoCloseable {
    /** For each single wait. Generous: the machine may be busy with something else. */
    static final int PATIENCE_S = 20;

    private static final int CANCEL_ON_DISCONNECT = 8013;
    private static final int RESET_SEQ_NUM = 141;

    /**
     * The venue's own dictionary, and every check of incoming messages that the engine has: what
     * fails one the engine answers with a Reject, and that ends the day.
     */
    private static final String SETTINGS = """
        [session]
        ConnectionType=initiator
        BeginString=FIX.4.4
        SenderCompID=%s
        TargetCompID=SEAMARK
        SocketConnectHost=127.0.0.1
        SocketConnectPort=%d
        NonStopSession=Y
        HeartBtInt=5
        ReconnectInterval=1

        FileStorePath=%s
        FileLogPath=%3$s
        ResetOnLogon=N
        ResetOnLogout=N
        ResetOnDisconnect=N

        UseDataDictionary=Y
        DataDictionary=%s
        ValidateIncomingMessage=Y
        ValidateFieldsOutOfOrder=Y
        ValidateFieldsHaveValues=Y
        ValidateUserDefinedFields=Y
        ValidateUnorderedGroupFields=Y
        ValidateChecksum=Y
        AllowUnknownMsgFields=N
        RejectInvalidMessage=Y
        RequiresOrigSendingTime=Y
        CheckCompID=Y
        CheckLatency=Y
        """;

    final String name;
    final Wire wire;
    final Session session;

    private final SocketInitiator initiator;
    private final BlockingQueue<Message> inbox = new LinkedBlockingQueue<>();
    private final List<String> execIds = new ArrayList<>();
    private final Map<String, AtomicInteger> counts = new ConcurrentHashMap<>();
    private volatile Message logonSent;
    private volatile Message logonReceived;
    private volatile boolean cancelOnDisconnect;
    private volatile boolean resetSeqNum;
    private volatile boolean isLoggingOut;

    Client(String name, int port, String dictionary, String directory) throws ConfigError {
        this.name = name;
        wire = new Wire(name);
        String text =
            SETTINGS.formatted("QFJ_" + name.toUpperCase(), port, directory, dictionary);
        SessionSettings settings = new SessionSettings(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        initiator = new SocketInitiator(
            this,
            new FileStoreFactory(settings),
            settings,
            new FileLogFactory(settings),
            new DefaultMessageFactory());
        initiator.start();
        session = Session.lookupSession(initiator.getSessions().get(0));
    }

    // --- for the script ------------------------------------------------------------------

    void send(String format, Object... values) {
        session.send(Fix.request(format.formatted(values)));
    }

    /** The next message of the venue, which has to be like this. */
    Message expect(String format, Object... values) {
        String expected = format.formatted(values);
        Message message = next(expected);
        Fix.check(message, expected);
        return message;
    }

    /** The next messages of the venue, so many. */
    List<Message> take(int wanted) {
        List<Message> taken = new ArrayList<>(wanted);
        while (taken.size() < wanted) {
            taken.add(next("message %d of %d".formatted(taken.size() + 1, wanted)));
        }
        return taken;
    }

    /** How many messages nobody has taken yet. */
    int waiting() {
        return inbox.size();
    }

    /** Log on again after `logout`, from now on with or without cancel on disconnect. */
    void logon(boolean withCancelOnDisconnect) {
        cancelOnDisconnect = withCancelOnDisconnect;
        session.logon();
        awaitOnline();
    }

    /** Log on again after `logout`, and begin with 1 on both sides. */
    void logonWithReset() {
        resetSeqNum = true;
        logon(false);
        resetSeqNum = false;
    }

    void logout() {
        int logouts = received("5");
        isLoggingOut = true;
        session.logout();
        awaitOffline();
        isLoggingOut = false;
        Failure.unless(received("5") == logouts + 1, "%s got no Logout back", name);
    }

    void awaitOnline() {
        await(session::isLoggedOn, "is not logged on");
    }

    void awaitOffline() {
        await(() -> !session.isLoggedOn() && !session.hasResponder(), "is still connected");
    }

    void await(BooleanSupplier condition, String complaint) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (!condition.getAsBoolean()) {
            Failure.unless(System.nanoTime() < end, "%s %s after %d s", name, complaint,
                PATIENCE_S);
            pause();
        }
    }

    /** How many messages of a type came in: "2" all ResendRequests, "D/dup" resent orders. */
    int received(String what) {
        return count("in " + what).get();
    }

    int sent(String what) {
        return count("out " + what).get();
    }

    /** The last one of ours. */
    Message logonSent() {
        return logonSent;
    }

    /** The last one of the venue's. */
    Message logonReceived() {
        return logonReceived;
    }

    /** The ExecIDs of all reports so far, in the order of their arrival. */
    List<String> execIds() {
        synchronized (execIds) {
            return List.copyOf(execIds);
        }
    }

    @Override
    public void close() {
        initiator.stop(true);
    }

    // --- for the engine ------------------------------------------------------------------

    @Override
    public void onCreate(SessionID id) {}

    @Override
    public void onLogon(SessionID id) {}

    @Override
    public void onLogout(SessionID id) {}

    @Override
    public void toAdmin(Message message, SessionID id) {
        if ("A".equals(Fix.value(message, Fix.MSG_TYPE))) {
            logonSent = message;
            if (cancelOnDisconnect) {
                message.setString(CANCEL_ON_DISCONNECT, "Y");
            }
            if (resetSeqNum) {
                message.setString(RESET_SEQ_NUM, "Y");
            }
        }
        tally("out ", message);
    }

    @Override
    public void fromAdmin(Message message, SessionID id) {
        tally("in ", message);
        switch (Fix.value(message, Fix.MSG_TYPE)) {
            case "A" -> logonReceived = message;
            case "5" -> {
                if (isLoggingOut) {
                    // QuickFIX/J 3.0 sends its Logout in one thread and only then takes note of it
                    // (Session.generateLogout). An answer that another thread reads in between
                    // passes for the venue's own wish, and is answered with a second Logout.
                    await(session::sentLogout, "has not sent its Logout");
                }
            }
            default -> { }
        }
    }

    @Override
    public void toApp(Message message, SessionID id) {
        tally("out ", message);
    }

    @Override
    public void fromApp(Message message, SessionID id) {
        tally("in ", message);
        String execId = Fix.value(message, Fix.EXEC_ID);
        if (execId != null) {
            synchronized (execIds) {
                execIds.add(execId);
            }
        }
        inbox.add(message);
    }

    // -------------------------------------------------------------------------------------

    private Message next(String expected) {
        try {
            Message message = inbox.poll(PATIENCE_S, TimeUnit.SECONDS);
            Failure.unless(message != null, "%s got nothing in %d s, expected %s", name, PATIENCE_S,
                expected);
            return message;
        } catch (InterruptedException stop) {
            throw new Failure("interrupted");
        }
    }

    private void tally(String direction, Message message) {
        String type = Fix.value(message, Fix.MSG_TYPE);
        if (type.equals("3") || direction.equals("out ") && type.equals("j")) {
            // For the script, too: the venue's Reject of a request, which it may expect, and our
            // engine's of a message of the venue, which it never does.
            inbox.add(message);
        }
        count(direction + type).incrementAndGet();
        if (Fix.isPossDup(message)) {
            count(direction + type + "/dup").incrementAndGet();
        }
    }

    private AtomicInteger count(String key) {
        return counts.computeIfAbsent(key, unused -> new AtomicInteger());
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException stop) {
            throw new Failure("interrupted");
        }
    }
}
