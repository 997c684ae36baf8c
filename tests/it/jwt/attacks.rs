//! Tokens that nobody may take, one a line: what the header says, what the claims say, and how it is signed.
//!
//! In a header and in claims `ISSUER` stands for the issuer's name, `KID` for its key's, `JWK` for the key of whoever made
//! the token up, `NOW`, `PAST` and `SOON` for the time in seconds, a minute ago and in ten minutes, `DEEP` for lists in
//! lists and `LONG` for a thousand letters. `CLAIMS` are good ones.

/// How a token is signed and put together.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// The right key: only what it says is wrong.
    Right,
    /// A key that somebody made up.
    Stranger,
    /// Nobody: the third part is empty.
    Nobody,
    /// HMAC with this hash, keyed with what everybody knows of the right key.
    PublicKey(Hash, Known),
    /// The right key; then what is sent is changed.
    Bent(Bend),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What everybody knows of the right key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Jwk,
    Pem,
    Der,
    Nothing,
}

/// From the good parts `h`, `p` and `s` to the bytes that are sent.
pub(super) type Bend = fn(h: &str, p: &str, s: &str) -> String;

/// A token: its name, header, claims, and how it is made.
pub(super) type Attack = (&'static str, &'static str, &'static str, By);

/// What is good, apart from what the line is about.
const H: &str = r#"{"alg":"ES256","kid":"KID"}"#;
const C: &str = "CLAIMS";
const R: By = By::Right;

/// Wrong whatever the claims are: refused by the bypass of signed changes, too, with its own claims and key.
pub(super) const OF_FORM: &[Attack] = &[
    // No signature, or none of a key pair.
    ("alg none", r#"{"alg":"none","kid":"KID"}"#, C, By::Nobody),
    ("alg None", r#"{"alg":"None","kid":"KID"}"#, C, By::Nobody),
    ("alg NONE", r#"{"alg":"NONE","kid":"KID"}"#, C, By::Nobody),
    ("alg nOnE", r#"{"alg":"nOnE","kid":"KID"}"#, C, By::Nobody),
    ("alg none over a good signature", r#"{"alg":"none","kid":"KID"}"#, C, R),
    ("a good alg and no signature", H, C, By::Nobody),
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
    ("alg null", r#"{"alg":null,"kid":"KID"}"#, C, R),
    ("alg a number", r#"{"alg":256,"kid":"KID"}"#, C, R),
    ("alg a list", r#"{"alg":["ES256"],"kid":"KID"}"#, C, R),
    ("alg an object", r#"{"alg":{"ES256":true},"kid":"KID"}"#, C, R),
    ("alg in small letters", r#"{"alg":"es256","kid":"KID"}"#, C, R),
    ("alg with a blank", r#"{"alg":"ES256 ","kid":"KID"}"#, C, R),
    ("alg with NUL", r#"{"alg":"ES256\u0000","kid":"KID"}"#, C, R),
    ("Alg in place of alg", r#"{"Alg":"ES256","kid":"KID"}"#, C, R),
    // Members twice.
    ("alg twice, none first", r#"{"alg":"none","alg":"ES256","kid":"KID"}"#, C, R),
    ("alg twice, none last", r#"{"alg":"ES256","alg":"none","kid":"KID"}"#, C, R),
    ("alg twice, once escaped", r#"{"alg":"ES256","\u0061lg":"none","kid":"KID"}"#, C, R),
    ("kid twice", r#"{"alg":"ES256","kid":"other","kid":"KID"}"#, C, R),
    ("a member twice that nobody reads", r#"{"alg":"ES256","kid":"KID","x":1,"x":2}"#, C, R),
    ("a member twice deep inside", r#"{"alg":"ES256","kid":"KID","x":{"y":1,"y":2}}"#, C, R),
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
    (
        "b64 false with claims as they are",
        r#"{"alg":"ES256","kid":"KID","b64":false,"crit":["b64"]}"#,
        C,
        By::Bent(|h, _, s| format!("{h}.claims.{s}")),
    ),
    ("b64 true", r#"{"alg":"ES256","kid":"KID","b64":true}"#, C, R),
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
    ("one character too many", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}A"))),
    // Signatures.
    ("another key's signature", H, C, By::Stranger),
    ("a signature of zeros", H, C, By::Bent(|h, p, _| format!("{h}.{p}.{}", "A".repeat(86)))),
    ("a signature of one zero", H, C, By::Bent(|h, p, _| format!("{h}.{p}.AA"))),
    ("half of the signature", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", &s[..43]))),
    ("the signature twice", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}{s}", &s[..84]))),
    ("a signature in DER", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", der(s)))),
    ("one bit of the signature", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{}", flipped(s)))),
    ("one bit of the claims", H, C, By::Bent(|h, p, s| format!("{h}.{}.{s}", flipped(p)))),
    ("longer than 8 KiB", H, C, By::Bent(|h, p, s| format!("{h}.{p}.{s}{}", "A".repeat(8192)))),
];

/// Wrong in what is claimed, or in which key it names.
pub(super) const OF_CLAIMS: &[Attack] = &[
    // Keys by name.
    ("a kid that nobody has", r#"{"alg":"ES256","kid":"other"}"#, C, R),
    ("a kid in capitals", r#"{"alg":"ES256","kid":"KEY-1"}"#, C, R),
    ("a kid with a blank", r#"{"alg":"ES256","kid":"KID "}"#, C, R),
    ("a kid with NUL", r#"{"alg":"ES256","kid":"KID\u0000"}"#, C, R),
    ("a kid that is empty", r#"{"alg":"ES256","kid":""}"#, C, R),
    ("a kid that is a path", r#"{"alg":"ES256","kid":"../../../../dev/null"}"#, C, R),
    ("a kid that is a URL", r#"{"alg":"ES256","kid":"http://127.0.0.1:1/keys"}"#, C, R),
    ("a kid that is SQL", r#"{"alg":"ES256","kid":"x' UNION SELECT 'key';--"}"#, C, R),
    ("a kid that is a command", r#"{"alg":"ES256","kid":"$(id)|id"}"#, C, R),
    ("no kid where several keys fit", r#"{"alg":"ES256"}"#, C, R),
    ("the kid of another key", r#"{"alg":"ES256","kid":"key-2"}"#, C, R),
    ("the kid of a key for encryption", r#"{"alg":"ES256","kid":"enc-1"}"#, C, R),
    (
        "the kid of a secret that was published",
        r#"{"alg":"HS256","kid":"oct-1"}"#,
        C,
        By::PublicKey(Hash::Sha256, Known::Nothing),
    ),
    ("the kid of a key for another algorithm", r#"{"alg":"ES384","kid":"p384-1"}"#, C, R),
    // Another kind of token.
    ("a logout token", r#"{"alg":"ES256","kid":"KID","typ":"logout+jwt"}"#, C, R),
    ("a proof of possession", r#"{"alg":"ES256","kid":"KID","typ":"dpop+jwt"}"#, C, R),
    ("a security event", r#"{"alg":"ES256","kid":"KID","typ":"secevent+jwt"}"#, C, R),
    ("a typ that is empty", r#"{"alg":"ES256","kid":"KID","typ":""}"#, C, R),
    // exp.
    ("exp missing", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1"}"#, R),
    ("exp null", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":null}"#, R),
    ("exp a text", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":"SOON"}"#, R),
    ("exp a list", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":[SOON]}"#, R),
    ("exp true", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":true}"#, R),
    ("exp a minute ago", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":PAST}"#, R),
    ("exp now", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":NOW}"#, R),
    ("exp zero", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":0}"#, R),
    ("exp negative", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":-1}"#, R),
    ("exp beyond all dates", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":1e300}"#, R),
    ("exp beyond all numbers", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":1e999}"#, R),
    ("exp in milliseconds", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON000}"#, R),
    ("exp twice", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":PAST,"exp":SOON}"#, R),
    ("exp with another letter", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","Exp":SOON}"#, R),
    // nbf, iat, auth_time.
    ("nbf in ten minutes", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"nbf":SOON}"#, R),
    ("nbf a text", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"nbf":"PAST"}"#, R),
    ("nbf null", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"nbf":null}"#, R),
    ("iat in ten minutes", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"iat":SOON}"#, R),
    ("iat a text", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"iat":"PAST"}"#, R),
    ("auth_time in ten minutes", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"auth_time":SOON}"#, R),
    ("auth_time a text", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"auth_time":"NOW"}"#, R),
    // iss.
    ("iss missing", H, r#"{"aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss null", H, r#"{"iss":null,"aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss empty", H, r#"{"iss":"","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss of somebody else", H, r#"{"iss":"https://idp.example","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss with a slash", H, r#"{"iss":"ISSUER/","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss with more behind it", H, r#"{"iss":"ISSUER.evil.example","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss with a blank", H, r#"{"iss":" ISSUER","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss a list", H, r#"{"iss":["ISSUER"],"aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss of the other issuer", H, r#"{"iss":"https://other.example","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    ("iss twice", H, r#"{"iss":"https://idp.example","iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON}"#, R),
    // aud.
    ("aud missing", H, r#"{"iss":"ISSUER","sub":"e-1","exp":SOON}"#, R),
    ("aud null", H, r#"{"iss":"ISSUER","aud":null,"sub":"e-1","exp":SOON}"#, R),
    ("aud empty", H, r#"{"iss":"ISSUER","aud":"","sub":"e-1","exp":SOON}"#, R),
    ("aud of somebody else", H, r#"{"iss":"ISSUER","aud":"shop","sub":"e-1","exp":SOON}"#, R),
    ("aud in capitals", H, r#"{"iss":"ISSUER","aud":"GATE","sub":"e-1","exp":SOON}"#, R),
    ("aud with more behind it", H, r#"{"iss":"ISSUER","aud":"gateway","sub":"e-1","exp":SOON}"#, R),
    ("aud with two in one text", H, r#"{"iss":"ISSUER","aud":"gate shop","sub":"e-1","exp":SOON}"#, R),
    ("aud an empty list", H, r#"{"iss":"ISSUER","aud":[],"sub":"e-1","exp":SOON}"#, R),
    ("aud a list of others", H, r#"{"iss":"ISSUER","aud":["a","b"],"sub":"e-1","exp":SOON}"#, R),
    ("aud a list with more than texts", H, r#"{"iss":"ISSUER","aud":["gate",1],"sub":"e-1","exp":SOON}"#, R),
    ("aud a list in a list", H, r#"{"iss":"ISSUER","aud":[["gate"]],"sub":"e-1","exp":SOON}"#, R),
    ("aud an object", H, r#"{"iss":"ISSUER","aud":{"gate":true},"sub":"e-1","exp":SOON}"#, R),
    // sub.
    ("sub missing", H, r#"{"iss":"ISSUER","aud":"gate","exp":SOON}"#, R),
    ("sub null", H, r#"{"iss":"ISSUER","aud":"gate","sub":null,"exp":SOON}"#, R),
    ("sub empty", H, r#"{"iss":"ISSUER","aud":"gate","sub":"","exp":SOON}"#, R),
    ("sub a number", H, r#"{"iss":"ISSUER","aud":"gate","sub":1,"exp":SOON}"#, R),
    ("sub a list", H, r#"{"iss":"ISSUER","aud":"gate","sub":["e-1"],"exp":SOON}"#, R),
    ("sub true", H, r#"{"iss":"ISSUER","aud":"gate","sub":true,"exp":SOON}"#, R),
    ("sub with a blank before it", H, r#"{"iss":"ISSUER","aud":"gate","sub":" e-1","exp":SOON}"#, R),
    ("sub with a blank behind it", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1 ","exp":SOON}"#, R),
    ("sub with a new line", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1\r\nX-User: root","exp":SOON}"#, R),
    ("sub with NUL", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1\u0000","exp":SOON}"#, R),
    ("sub with DEL", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1\u007f","exp":SOON}"#, R),
    ("sub with a control character of C1", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-\u0085-1","exp":SOON}"#, R),
    ("sub twice", H, r#"{"iss":"ISSUER","aud":"gate","sub":"root","sub":"e-1","exp":SOON}"#, R),
    ("sub twice, once escaped", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","\u0073ub":"root","exp":SOON}"#, R),
    ("sub of a thousand letters", H, concat!(r#"{"iss":"ISSUER","aud":"gate","exp":SOON,"sub":""#, "LONG", r#""}"#), R),
    // Roles.
    ("roles a number", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":1}"#, R),
    ("roles null", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":null}"#, R),
    ("roles an object", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":{"boss":true}}"#, R),
    ("roles of more than texts", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":["a",1]}"#, R),
    ("a role that is two", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":["a,boss"]}"#, R),
    ("a role with a new line", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":["a\nboss"]}"#, R),
    ("a role that is empty", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"roles":[""]}"#, R),
    // Bound to a sender.
    (
        "bound to another certificate",
        H,
        r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"cnf":{"x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#,
        R,
    ),
    (
        "bound to a key",
        H,
        r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"cnf":{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#,
        R,
    ),
    ("bound to nothing", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"cnf":{}}"#, R),
    ("bound to null", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"cnf":null}"#, R),
    // Claims that are none.
    ("claims a list", H, r#"[{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON}]"#, R),
    ("claims a text", H, r#""ISSUER""#, R),
    ("claims null", H, "null", R),
    ("claims empty", H, "{}", R),
    ("claims no JSON", H, "iss=ISSUER&aud=gate&sub=e-1&exp=SOON", R),
    ("claims with more behind them", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON}{"sub":"root"}"#, R),
    (
        "claims with a byte order mark",
        H,
        "\u{feff}{\"iss\":\"ISSUER\",\"aud\":\"gate\",\"sub\":\"e-1\",\"exp\":SOON}",
        R,
    ),
    ("claims with NaN", H, r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":NaN}"#, R),
    (
        "claims with a member twice deep inside",
        H,
        r#"{"iss":"ISSUER","aud":"gate","sub":"e-1","exp":SOON,"x":{"y":1,"y":2}}"#,
        R,
    ),
    ("claims that are a token", r#"{"alg":"ES256","kid":"KID","cty":"JWT"}"#, "eyJhbGciOiJub25lIn0.e30.", R),
];

/// The last character with a bit set that no byte needs.
fn loose(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = part.chars().last().unwrap();
    let next = ALPHABET.chars().nth(ALPHABET.find(last).unwrap() + 1).unwrap();
    format!("{}{next}", &part[..part.len() - 1])
}

/// Another first character.
fn flipped(part: &str) -> String {
    let first = if part.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}", &part[1..])
}

/// The signature as X.509 has it.
fn der(signature: &str) -> String {
    use openssl::bn::BigNum;
    let bytes = crate::support::jose::from_base64url(signature);
    let (r, s) = bytes.split_at(bytes.len() / 2);
    let number = |bytes| BigNum::from_slice(bytes).unwrap();
    let signature = openssl::ecdsa::EcdsaSig::from_private_components(number(r), number(s)).unwrap();
    crate::support::jose::base64url(signature.to_der().unwrap())
}
