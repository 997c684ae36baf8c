//! What is wrong whatever the claims are, by the answer of the bypass.

use super::{Attack, By, Hash, Known, der, flipped, loose};

/// What is good, apart from what the line is about.
const H: &str = r#"{"alg":"ES256","kid":"KID"}"#;
const C: &str = "CLAIMS";
const R: By = By::Right;

/// Refused by the realm, and by the bypass with its own claims and key, which answers with this status.
pub(crate) const OF_FORM: &[(u16, &[Attack])] = &[(400, MALFORMED), (401, UNTRUSTED), (413, TOO_LONG)];

/// No message that could be looked at any further.
const MALFORMED: &[Attack] = &[
    // No signature, or none of a key pair.
    ("alg none", r#"{"alg":"none","kid":"KID"}"#, C, By::Nobody),
    ("alg None", r#"{"alg":"None","kid":"KID"}"#, C, By::Nobody),
    ("alg NONE", r#"{"alg":"NONE","kid":"KID"}"#, C, By::Nobody),
    ("alg nOnE", r#"{"alg":"nOnE","kid":"KID"}"#, C, By::Nobody),
    ("a good alg and no signature", H, C, By::Nobody),
    // `alg` that is none.
    ("alg null", r#"{"alg":null,"kid":"KID"}"#, C, R),
    ("alg a number", r#"{"alg":256,"kid":"KID"}"#, C, R),
    ("alg a list", r#"{"alg":["ES256"],"kid":"KID"}"#, C, R),
    ("alg an object", r#"{"alg":{"ES256":true},"kid":"KID"}"#, C, R),
    // Members twice.
    ("alg twice, none first", r#"{"alg":"none","alg":"ES256","kid":"KID"}"#, C, R),
    ("alg twice, none last", r#"{"alg":"ES256","alg":"none","kid":"KID"}"#, C, R),
    ("alg twice, once escaped", r#"{"alg":"ES256","\u0061lg":"none","kid":"KID"}"#, C, R),
    ("kid twice", r#"{"alg":"ES256","kid":"other","kid":"KID"}"#, C, R),
    ("a member twice that nobody reads", r#"{"alg":"ES256","kid":"KID","x":1,"x":2}"#, C, R),
    ("a member twice deep inside", r#"{"alg":"ES256","kid":"KID","x":{"y":1,"y":2}}"#, C, R),
    // Extensions that have to be understood.
    (
        "b64 false with claims as they are",
        r#"{"alg":"ES256","kid":"KID","b64":false,"crit":["b64"]}"#,
        C,
        By::Bent(|h, _, s| format!("{h}.claims.{s}")),
    ),
    // Members of the wrong type.
    ("kid a number", r#"{"alg":"ES256","kid":1}"#, C, R),
    ("kid null", r#"{"alg":"ES256","kid":null}"#, C, R),
    ("kid a list", r#"{"alg":"ES256","kid":["KID"]}"#, C, R),
    ("typ a number", r#"{"alg":"ES256","kid":"KID","typ":1}"#, C, R),
    ("typ null", r#"{"alg":"ES256","kid":"KID","typ":null}"#, C, R),
    // Headers that are none.
    ("the header a list", r#"[{"alg":"ES256","kid":"KID"}]"#, C, R),
    ("the header a text", r#""ES256""#, C, R),
    ("the header null", "null", C, R),
    ("the header no JSON", "{alg:ES256}", C, R),
    ("the header with a comment", r#"{"alg":"ES256"/**/,"kid":"KID"}"#, C, R),
    ("the header with a comma at its end", r#"{"alg":"ES256","kid":"KID",}"#, C, R),
    ("the header with more behind it", r#"{"alg":"ES256","kid":"KID"}{"alg":"none"}"#, C, R),
    ("the header with a byte order mark", "\u{feff}{\"alg\":\"ES256\",\"kid\":\"KID\"}", C, R),
    ("the header with a lone surrogate", r#"{"alg":"ES256","kid":"KID","x":"\ud800"}"#, C, R),
    ("the header too deep", r#"{"alg":"ES256","kid":"KID","x":DEEP}"#, C, R),
    // Parts.
    ("two parts", H, C, By::Bent(|h, p, _| format!("{h}.{p}"))),
    ("four parts", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}.{s}"))),
    ("five parts, as encryption has", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}.{s}.{s}"))),
    ("no header", H, C, By::Bent(|_, p, s| format!(".{p}.{s}"))),
    ("no claims", H, C, By::Bent(|h, _, s| format!("{h}..{s}"))),
    ("a dot at the end", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}."))),
    ("parts swapped", H, C, By::Bent(|h, p, s| format!("{p}.{h}.{s}"))),
    // Base64url in another spelling.
    ("padding", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}=="))),
    ("padding of the header", H, C, By::Bent(|h, p, s| format!("{h}=.{p}.{s}"))),
    ("the other alphabet", H, C, By::Bent(|h, p, s| format!("{h}.{p}.+/{}", &s[2..]))),
    ("a last character with bits set", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", loose(s)))),
    ("one character too few", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", &s[..s.len() - 1]))),
    // Signatures.
    ("one bit of the claims", H, C, By::Bent(|h, p, s| format!("{h}.{}.{s}", flipped(p)))),
];

/// What nobody has signed, or not so that it counts.
const UNTRUSTED: &[Attack] = &[
    // No signature, or none of a key pair.
    ("alg none over a good signature", r#"{"alg":"none","kid":"KID"}"#, C, R),
    ("HS256 with the JWK as its secret", r#"{"alg":"HS256","kid":"KID"}"#, C, By::PublicKey(Hash::Sha256, Known::Jwk)),
    ("HS256 with the PEM as its secret", r#"{"alg":"HS256","kid":"KID"}"#, C, By::PublicKey(Hash::Sha256, Known::Pem)),
    ("HS256 with the DER as its secret", r#"{"alg":"HS256","kid":"KID"}"#, C, By::PublicKey(Hash::Sha256, Known::Der)),
    ("HS256 without a secret", r#"{"alg":"HS256","kid":"KID"}"#, C, By::PublicKey(Hash::Sha256, Known::Nothing)),
    ("HS384 with the PEM as its secret", r#"{"alg":"HS384","kid":"KID"}"#, C, By::PublicKey(Hash::Sha384, Known::Pem)),
    ("HS512 with the PEM as its secret", r#"{"alg":"HS512","kid":"KID"}"#, C, By::PublicKey(Hash::Sha512, Known::Pem)),
    ("ES256 that is HMAC with the PEM", H, C, By::PublicKey(Hash::Sha256, Known::Pem)),
    // Another algorithm than the key's.
    ("RS256 over a key for ES256", r#"{"alg":"RS256","kid":"KID"}"#, C, R),
    ("PS256 over a key for ES256", r#"{"alg":"PS256","kid":"KID"}"#, C, R),
    ("ES384 over a key of P-256", r#"{"alg":"ES384","kid":"KID"}"#, C, R),
    ("ES512 over a key of P-256", r#"{"alg":"ES512","kid":"KID"}"#, C, R),
    ("ES256K over a key of P-256", r#"{"alg":"ES256K","kid":"KID"}"#, C, R),
    ("EdDSA over a key of P-256", r#"{"alg":"EdDSA","kid":"KID"}"#, C, R),
    ("Ed25519 over a key of P-256", r#"{"alg":"Ed25519","kid":"KID"}"#, C, R),
    ("an algorithm of encryption", r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"KID"}"#, C, R),
    ("alg dir", r#"{"alg":"dir","enc":"A256GCM","kid":"KID"}"#, C, R),
    // `alg` that is none.
    ("alg missing", r#"{"kid":"KID"}"#, C, R),
    ("alg empty", r#"{"alg":"","kid":"KID"}"#, C, R),
    ("alg in small letters", r#"{"alg":"es256","kid":"KID"}"#, C, R),
    ("alg with a blank", r#"{"alg":"ES256 ","kid":"KID"}"#, C, R),
    ("alg with NUL", r#"{"alg":"ES256\u0000","kid":"KID"}"#, C, R),
    ("Alg in place of alg", r#"{"Alg":"ES256","kid":"KID"}"#, C, R),
    // A key that the token brings, or tells where to fetch.
    ("jwk of a stranger", r#"{"alg":"ES256","jwk":JWK}"#, C, By::Stranger),
    ("jwk of a stranger under the right kid", r#"{"alg":"ES256","kid":"KID","jwk":JWK}"#, C, By::Stranger),
    ("jwk beside a good signature", r#"{"alg":"ES256","kid":"KID","jwk":JWK}"#, C, R),
    ("jwk null", r#"{"alg":"ES256","kid":"KID","jwk":null}"#, C, R),
    ("jku of a stranger", r#"{"alg":"ES256","kid":"KID","jku":"http://127.0.0.1:1/keys"}"#, C, By::Stranger),
    ("jku beside a good signature", r#"{"alg":"ES256","kid":"KID","jku":"http://127.0.0.1:1/keys"}"#, C, R),
    ("jku that is a file", r#"{"alg":"ES256","kid":"KID","jku":"file:///etc/passwd"}"#, C, R),
    ("x5u of a stranger", r#"{"alg":"ES256","kid":"KID","x5u":"http://127.0.0.1:1/cert"}"#, C, By::Stranger),
    ("x5u beside a good signature", r#"{"alg":"ES256","kid":"KID","x5u":"http://127.0.0.1:1/cert"}"#, C, R),
    ("x5c of a stranger", r#"{"alg":"ES256","kid":"KID","x5c":["MIIB"]}"#, C, By::Stranger),
    ("x5c empty", r#"{"alg":"ES256","kid":"KID","x5c":[]}"#, C, R),
    // Extensions that have to be understood.
    ("crit with a claim", r#"{"alg":"ES256","kid":"KID","crit":["exp"],"exp":1}"#, C, R),
    ("crit with something unknown", r#"{"alg":"ES256","kid":"KID","crit":["x"],"x":1}"#, C, R),
    ("crit with what is not there", r#"{"alg":"ES256","kid":"KID","crit":["x"]}"#, C, R),
    ("crit empty", r#"{"alg":"ES256","kid":"KID","crit":[]}"#, C, R),
    ("crit null", r#"{"alg":"ES256","kid":"KID","crit":null}"#, C, R),
    ("crit a text", r#"{"alg":"ES256","kid":"KID","crit":"exp"}"#, C, R),
    ("b64 false", r#"{"alg":"ES256","kid":"KID","b64":false}"#, C, R),
    ("b64 false and crit", r#"{"alg":"ES256","kid":"KID","b64":false,"crit":["b64"]}"#, C, R),
    ("b64 true", r#"{"alg":"ES256","kid":"KID","b64":true}"#, C, R),
    // Base64url in another spelling.
    ("one character too many", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}A"))),
    // Signatures.
    ("another key's signature", H, C, By::Stranger),
    ("a signature of zeros", H, C, By::Bent(|h, p, _| format!("{h}.{p}.{}", "A".repeat(86)))),
    ("a signature of one zero", H, C, By::Bent(|h, p, _| format!("{h}.{p}.AA"))),
    ("half of the signature", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", &s[..44]))),
    ("the signature twice", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}{s}", &s[..84]))),
    ("a signature in DER", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", der(s)))),
    ("one bit of the signature", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", flipped(s)))),
];

const TOO_LONG: &[Attack] = &[
    // Signatures.
    ("longer than 8 KiB", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}{}", "A".repeat(8192)))),
];
