package seamark.interop;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import quickfix.Application;
import quickfix.ConfigError;
import quickfix.DefaultMessageFactory;
import quickfix.FieldNotFound;
import quickfix.FileLogFactory;
import quickfix.FileStoreFactory;
import quickfix.Group;
import quickfix.Message;
import quickfix.Session;
import quickfix.SessionID;
import quickfix.SessionSettings;
import quickfix.SocketInitiator;
import quickfix.StringField;

/** One session with the venue: a QuickFIX/J initiator that prints all that it is told. */
final class Client implements Application {
    private static final int MSG_TYPE = 35;
    private static final String LOGON = "A";
    private static final String LOGOUT = "5";
    /** What counts a group of which this field is, where that is there. */
    private static final Map<Integer, Integer> COUNTS = Map.of(269, 267, 55, 146, 75, 580, 60, 580);
    /** What entries begin with, by what counts them. */
    private static final Map<Integer, Integer> DELIMITERS = Map.of(267, 269, 146, 55, 580, 75);
    /** Longer than any machine takes to go on with a thread that it has stopped. */
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);

    /**
     * The venue's own dictionary, and every check of incoming messages that the engine has: what
     * fails one the engine answers with a Reject, and that ends the day.
     */
    private static final String SETTINGS = """
        [session]
        ConnectionType=initiator
        BeginString=FIX.4.4
        SenderCompID=QFJ_%s
        TargetCompID=SEAMARK
        SocketConnectHost=127.0.0.1
        SocketConnectPort=%s
        NonStopSession=Y
        HeartBtInt=5
        ReconnectInterval=1
        LogonTimeout=60

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

    /**
     * As above, and by TLS. Without a trust store QuickFIX/J trusts any server. Without a key store
     * it shows a certificate that lies in its jar, which no authority has issued, to a server that
     * asks for one, and is refused; with one that does not exist it shows none.
     */
    private static final String SECURE_SETTINGS = SETTINGS + """
        SocketUseSSL=Y
        SocketTrustStore=%5$s/ca.p12
        SocketTrustStorePassword=interop
        TrustStoreType=PKCS12
        EndpointIdentificationAlgorithm=HTTPS
        SocketKeyStore=%5$s/%6$s.p12
        SocketKeyStorePassword=interop
        KeyStoreType=PKCS12
        """;

    private final String role;
    private final SocketInitiator initiator;
    private final Signer signer; // null: Logons have no signature
    private Session session; // null until the first logon
    private volatile List<StringField> logonFields = List.of();
    private volatile boolean isLoggingOut;

    /** Connects by TLS if there is a folder with keys, which may be null. */
    Client(String role, String dictionary, String directory, String port, Path keys)
            throws ConfigError, IOException, GeneralSecurityException {
        this.role = role;
        String text = (keys == null ? SETTINGS : SECURE_SETTINGS).formatted(
            role.toUpperCase(), port, directory, dictionary, keys, role);
        Path key = keys == null ? null : keys.resolve(role + ".ed25519.pem");
        signer = key != null && Files.exists(key) ? new Signer(key) : null;
        SessionSettings settings = new SessionSettings(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        initiator = new SocketInitiator(
            this,
            new FileStoreFactory(settings),
            settings,
            new FileLogFactory(settings),
            new DefaultMessageFactory());
    }

    void logon(List<StringField> fields) throws ConfigError {
        logonFields = fields;
        isLoggingOut = false;
        if (session == null) {
            initiator.start();
            session = Session.lookupSession(initiator.getSessions().get(0));
        }
        session.logon();
    }

    void logout() {
        isLoggingOut = true;
        session.logout();
    }

    void send(List<StringField> fields) {
        Message message = new Message();
        Group entry = null;
        for (StringField field : fields) {
            Integer count = COUNTS.get(field.getTag());
            if (field.getTag() == MSG_TYPE) {
                message.getHeader().setField(field);
            } else if (count != null && message.isSetField(count)) {
                if (DELIMITERS.get(count) == field.getTag()) {
                    entry = new Group(count, field.getTag());
                    message.addGroupRef(entry);
                }
                entry.setField(field);
            } else {
                message.setField(field);
            }
        }
        session.send(message);
    }

    /** The next MsgSeqNum each way; 0 leaves one as it is. */
    void setNumbers(int out, int in) throws IOException {
        if (out > 0) {
            session.setNextSenderMsgSeqNum(out);
        }
        if (in > 0) {
            session.setNextTargetMsgSeqNum(in);
        }
    }

    void stop() {
        initiator.stop(true);
    }

    // --- for the engine ------------------------------------------------------------------

    @Override
    public void onCreate(SessionID id) {}

    @Override
    public void onLogon(SessionID id) {
        print("up", "");
    }

    @Override
    public void onLogout(SessionID id) {
        print("down", "");
    }

    @Override
    public void toAdmin(Message message, SessionID id) {
        if (LOGON.equals(type(message))) {
            if (signer != null) {
                try {
                    signer.sign(message);
                } catch (GeneralSecurityException | FieldNotFound error) {
                    print("error", error.toString());
                }
            }
            logonFields.forEach(message::setField);
        }
        print("out", message.toString());
    }

    @Override
    public void toApp(Message message, SessionID id) {
        print("out", message.toString());
    }

    @Override
    public void fromAdmin(Message message, SessionID id) {
        if (isLoggingOut && LOGOUT.equals(type(message))) {
            // QuickFIX/J 3.0 sends its Logout in one thread and only then takes note of it
            // (Session.generateLogout). An answer that another thread reads in between passes for
            // the venue's own wish, and is answered with a second Logout.
            awaitSentLogout();
        }
        print("in", message.toRawString());
    }

    @Override
    public void fromApp(Message message, SessionID id) {
        print("in", message.toRawString());
    }

    private void awaitSentLogout() {
        long end = System.nanoTime() + PATIENCE_NS;
        while (!session.sentLogout() && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    private static String type(Message message) {
        try {
            return message.getHeader().getString(MSG_TYPE);
        } catch (FieldNotFound impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** One line, at once, whatever thread it is that calls. */
    private void print(String what, String message) {
        System.out.println(what + " " + role + " " + message);
    }
}
