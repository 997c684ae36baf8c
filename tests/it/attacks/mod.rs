//! Tokens that nobody may take, one a line: what the header says, what the claims say, and how it is signed. The
//! benchmarks read them, too, so nothing here is of the tests alone.
//!
//! In a header and in claims `ISSUER` stands for the issuer's name, `KID` for its key's, `JWK` for the key of whoever made
//! the token up, `NOW`, `PAST` and `SOON` for the time in seconds, a minute ago and in ten minutes, `DEEP` for lists in
//! lists and `LONG` for a thousand letters. `CLAIMS` are good ones.

mod of_claims;
mod of_form;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private, Public};
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::{Value, json};
use sidegate_filters::jws::JwkDocument;

pub(crate) use of_claims::OF_CLAIMS;
pub(crate) use of_form::OF_FORM;

/// The name of the right key.
pub(crate) const KID: &str = "key-1";

/// What all of them are one step away from.
pub(crate) const GOOD: Attack = ("", r#"{"alg":"ES256","kid":"KID","typ":"JWT","x":1}"#, "CLAIMS", By::Right);

/// How a token is signed and put together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
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
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What everybody knows of the right key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    Jwk,
    Pem,
    Der,
    Nothing,
}

/// From the good parts `h`, `p` and `s` to the bytes that are sent.
pub(crate) type Bend = fn(h: &str, p: &str, s: &str) -> String;

/// A token: its name, header, claims, and how it is made.
pub(crate) type Attack = (&'static str, &'static str, &'static str, By);

/// Whose token it pretends to be.
pub(crate) struct Victim<'a> {
    /// The right key as a JWK.
    pub(crate) public: Value,
    /// A signing input with its signature by that key.
    pub(crate) sign: &'a dyn Fn(&str) -> String,
    pub(crate) issuer: &'a str,
    pub(crate) claims: String,
}

impl Victim<'_> {
    /// The token.
    pub(crate) fn token(&self, (_, header, claims, by): &Attack) -> String {
        let stranger = Key::p256();
        let (header, claims) = (self.written(header, &stranger), self.written(claims, &stranger));
        let input = format!("{}.{}", base64url(header), base64url(claims));
        match by {
            By::Right => (self.sign)(&input),
            By::Stranger => stranger.sign(&input),
            By::Nobody => format!("{input}."),
            By::PublicKey(hash, known) => format!("{input}.{}", base64url(self.mac(*hash, *known, input.as_bytes()))),
            By::Bent(bend) => {
                let good = (self.sign)(&input);
                let parts: Vec<&str> = good.split('.').collect();
                bend(parts[0], parts[1], parts[2])
            }
        }
    }

    fn written(&self, template: &str, stranger: &Key) -> String {
        let now = now();
        let text = template.replace("CLAIMS", &self.claims).replace("ISSUER", self.issuer).replace("KID", KID);
        let text = text.replace("JWK", &stranger.public().to_string()).replace("LONG", &"x".repeat(1000));
        let text = text.replace("DEEP", &format!("{}{}", "[".repeat(200), "]".repeat(200)));
        let [past, soon] = [now - 60, now + 600].map(|time| time.to_string());
        text.replace("PAST", &past).replace("SOON", &soon).replace("NOW", &now.to_string())
    }

    fn mac(&self, hash: Hash, known: Known, input: &[u8]) -> Vec<u8> {
        let public = || -> PKey<Public> { JwkDocument::parse(&self.public).unwrap().public_key().unwrap() };
        let secret = match known {
            Known::Jwk => self.public.to_string().into_bytes(),
            Known::Pem => public().public_key_to_pem().unwrap(),
            Known::Der => public().public_key_to_der().unwrap(),
            Known::Nothing => b"\0".to_vec(),
        };
        let digest = match hash {
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        };
        Signer::new(digest, &PKey::hmac(&secret).unwrap()).unwrap().sign_oneshot_to_vec(input).unwrap()
    }
}

/// A key on P-256 that signs whatever it is given.
pub(crate) struct Key(EcKey<Private>);

impl Key {
    pub(crate) fn p256() -> Self {
        Self(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap())
    }

    /// The public JWK.
    pub(crate) fn public(&self) -> Value {
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = BigNumContext::new().unwrap();
        self.0.public_key().affine_coordinates(self.0.group(), &mut x, &mut y, &mut context).unwrap();
        let [x, y] = [x, y].map(|number| base64url(number.to_vec_padded(32).unwrap()));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    /// A signing input with its signature.
    pub(crate) fn sign(&self, input: &str) -> String {
        let signature = EcdsaSig::sign(&sha256(input.as_bytes()), &self.0).unwrap();
        let [r, s] = [signature.r(), signature.s()].map(|number| number.to_vec_padded(32).unwrap());
        format!("{input}.{}", base64url([r, s].concat()))
    }
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since the epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

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
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = bytes.split_at(bytes.len() / 2);
    let number = |bytes| BigNum::from_slice(bytes).unwrap();
    base64url(EcdsaSig::from_private_components(number(r), number(s)).unwrap().to_der().unwrap())
}
