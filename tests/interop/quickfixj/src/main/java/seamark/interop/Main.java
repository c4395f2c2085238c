package seamark.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import quickfix.StringField;

/**
 * Two QuickFIX/J initiators, a buyer and a seller, which do what standard input says.
 *
 * <p>Arguments: data dictionary, directory for stores and logs, port of the buyer, of the seller,
 * and to connect by TLS a folder with keys. The commands, and what is printed, are described in
 * script/client.py.
 */
final class Main {
    static final char SOH = '\u0001';

    private static final List<String> ROLES = List.of("buyer", "seller");

    private final Map<String, Client> clients = new LinkedHashMap<>();

    private Main() {}

    public static void main(String[] args) {
        if (args.length != 4 && args.length != 5) {
            System.err.println("usage: Main DICTIONARY DIRECTORY BUYER_PORT SELLER_PORT [KEYS]");
            System.exit(2);
        }
        try {
            new Main().run(args);
            System.exit(0); // the engine's timers are no daemons
        } catch (Exception error) {
            System.out.println("error " + error);
            System.exit(1);
        }
    }

    private void run(String[] args) throws Exception {
        Path keys = args.length > 4 ? Path.of(args[4]) : null;
        for (int i = 0; i < ROLES.size(); i++) {
            String role = ROLES.get(i);
            clients.put(role, new Client(role, args[0], args[1], args[2 + i], keys));
        }
        BufferedReader lines = new BufferedReader(
            new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            obey(line);
        }
        clients.values().forEach(Client::stop);
    }

    /** Carries out one line. */
    private void obey(String line) throws Exception {
        String[] words = line.split(" ", 3);
        Client client = clients.get(words[1]);
        String rest = words.length > 2 ? words[2] : "";
        switch (words[0]) {
            case "logon" -> client.logon(parse(rest));
            case "logout" -> client.logout();
            case "send" -> client.send(parse(rest));
            case "numbers" -> {
                String[] numbers = rest.split(" ");
                client.setNumbers(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
            }
            default -> throw new IOException("not understood: " + line);
        }
    }

    /** "11=a", "55=b" with SOH in between. */
    private static List<StringField> parse(String text) {
        List<StringField> fields = new ArrayList<>();
        for (String field : text.split(String.valueOf(SOH))) {
            int equals = field.indexOf('=');
            if (equals > 0) {
                int tag = Integer.parseInt(field.substring(0, equals));
                fields.add(new StringField(tag, field.substring(equals + 1)));
            }
        }
        return fields;
    }
}
