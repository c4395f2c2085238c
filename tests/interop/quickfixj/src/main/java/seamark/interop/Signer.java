package seamark.interop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.StringJoiner;
import quickfix.FieldNotFound;
import quickfix.Message;

/** Signs Logons with an Ed25519 key. */
final class Signer {
    private static final String ALGORITHM = "Ed25519";
    /** What is signed: MsgType, SenderCompID, TargetCompID, MsgSeqNum, SendingTime. */
    private static final int[] SIGNED = {35, 49, 56, 34, 52};
    private static final int RAW_DATA_LENGTH = 95;
    private static final int RAW_DATA = 96;

    private final PrivateKey key;

    /** With a key in PEM. */
    Signer(Path file) throws IOException, GeneralSecurityException {
        String text = Files.readString(file).replaceAll("-----.*-----|\\s", "");
        key = KeyFactory.getInstance(ALGORITHM).generatePrivate(
            new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
    }

    /** Puts the signature into a Logon whose header is complete. */
    void sign(Message logon) throws GeneralSecurityException, FieldNotFound {
        StringJoiner values = new StringJoiner(String.valueOf(Main.SOH));
        for (int tag : SIGNED) {
            values.add(logon.getHeader().getString(tag));
        }
        Signature signature = Signature.getInstance(ALGORITHM);
        signature.initSign(key);
        signature.update(values.toString().getBytes(StandardCharsets.UTF_8));
        String text = Base64.getEncoder().encodeToString(signature.sign());
        logon.setInt(RAW_DATA_LENGTH, text.length());
        logon.setString(RAW_DATA, text);
    }
}
