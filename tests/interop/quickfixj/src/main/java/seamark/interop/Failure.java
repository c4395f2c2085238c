package seamark.interop;

/** The venue, or the engine, did not do what the script expects. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failure(String format, Object... values) {
        super(String.format(format, values));
    }

    /** Throws unless it is so. */
    static void unless(boolean isSo, String format, Object... values) {
        if (!isSo) {
            throw new Failure(format, values);
        }
    }
}
