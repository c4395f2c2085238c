package seamark.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/**
 * The connection between one client and the venue, as far as it can be cut.
 *
 * <p>It runs through a proxy of the runner. We ask for a cut with a line on our standard output and
 * get the answer on standard input, which any engine in any language can do.
 */
final class Wire {
    private static final BufferedReader ANSWERS =
        new BufferedReader(new InputStreamReader(System.in));

    private final String name;

    Wire(String name) {
        this.name = name;
    }

    /** Whose bytes are counted. */
    enum Direction {
        TO_CLIENT("to-client"),
        TO_VENUE("to-venue");

        private final String word;

        Direction(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /** After so many more bytes in this direction drop both; nobody connects until `open`. */
    void cutAfter(int bytes, Direction direction) {
        ask("cut " + name + " " + direction + " " + bytes);
    }

    /** Returns once the cut has happened. */
    void awaitCut() {
        ask("wait " + name);
    }

    /** Lets the client connect again. */
    void open() {
        ask("open " + name);
    }

    private static synchronized void ask(String request) {
        System.out.println("> " + request);
        try {
            String answer = ANSWERS.readLine();
            Failure.unless("ok".equals(answer), "the runner's answer to '%s': %s", request, answer);
        } catch (IOException gone) {
            throw new Failure("the runner is gone: %s", gone);
        }
    }
}
