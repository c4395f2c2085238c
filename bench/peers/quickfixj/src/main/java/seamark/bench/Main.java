package seamark.bench;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import quickfix.DefaultMessageFactory;
import quickfix.FileStoreFactory;
import quickfix.LogFactory;
import quickfix.SessionSettings;
import quickfix.SocketAcceptor;

/**
 * A small exchange on QuickFIX/J: limit orders, matched by price and then time.
 *
 * <p>Arguments: data dictionary, directory for stores, port, number of sessions. Their CompIDs are
 * LOAD1 and so on. Prints "ready" once it listens, and ends with its standard input.
 */
final class Main {
    // All checks of incoming messages that the engine has; stores are files, there is no log.
    private static final String SETTINGS = """
        [DEFAULT]
        ConnectionType=acceptor
        BeginString=FIX.4.4
        SenderCompID=SEAMARK
        SocketAcceptAddress=127.0.0.1
        SocketAcceptPort=%3$s
        SocketTcpNoDelay=Y
        StartTime=00:00:00
        EndTime=00:00:00
        NonStopSession=Y
        HeartBtInt=30
        FileStorePath=%2$s
        FileStoreSync=N
        UseDataDictionary=Y
        DataDictionary=%1$s
        ValidateFieldsOutOfOrder=Y
        ValidateFieldsHaveValues=Y
        ValidateUserDefinedFields=Y
        ValidateChecksum=Y
        AllowUnknownMsgFields=N
        CheckCompID=Y
        CheckLatency=Y
        """;

    private Main() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 4) {
            System.err.println("usage: Main DICTIONARY DIRECTORY PORT SESSIONS");
            System.exit(2);
        }
        String sessions = IntStream.rangeClosed(1, Integer.parseInt(args[3]))
            .mapToObj(number -> "[SESSION]\nTargetCompID=LOAD" + number + "\n")
            .collect(Collectors.joining());
        String text = SETTINGS.formatted((Object[]) args) + sessions;
        SessionSettings settings = new SessionSettings(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        // Without a log; and one thread delivers what all sessions get, so there are no locks.
        SocketAcceptor acceptor = new SocketAcceptor(
            new Exchange(), new FileStoreFactory(settings), settings, (LogFactory) null,
            new DefaultMessageFactory());
        acceptor.start();
        System.out.println("ready");
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        acceptor.stop(true);
        System.exit(0); // the engine's timers are no daemons
    }
}
