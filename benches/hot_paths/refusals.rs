//! What it takes to refuse each of the tokens that nobody may take, beside the verification of a good one. One that is
//! accepted fails the run.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sidegate::identity::JwtRealm;
use sidegate::identity::jwt::{Claim, Issuer, IssuerKeys, Pace, Settings, Source};
use sidegate::jose::MessageSigningKey;
use sidegate::routes::ListenerClass;
use sidegate_filters::clock::{Clock as _, SystemClock};
use sidegate_filters::identity_creation::Tokens as _;
use sidegate_filters::jws::{Algorithm, EcCurve, KeyKind};

use super::Failure;
use super::attacks::{Attack, GOOD, KID, Key, OF_CLAIMS, OF_FORM, Victim};
use super::house::{House, client};
use super::ratio::{Cost, Ratio, tell};

const ISSUER: &str = "https://idp.example/keys";
/// So often each runs in a turn; the ones that seem the dearest are measured once more with the second number.
const RUNS: [usize; 2] = [3, 40];
const ONCE_MORE: usize = 8;
/// No key set is read while it is measured.
const LONG: Duration = Duration::from_secs(3600);

/// Measures all of them and prints the dearest.
pub(crate) fn print(house: &House) -> Result<(), Failure> {
    let of_form = || OF_FORM.iter().flat_map(|(_, attacks)| attacks.iter());
    let issuer = TokenIssuer::build()?;
    dearest("the realm jwt", of_form().chain(OF_CLAIMS), |attack, runs| issuer.cost(house, attack, runs))?;
    dearest("the JWS bypass", of_form(), |attack, runs| of_bypass(house, attack, runs))
}

fn dearest<'a>(
    at: &str,
    attacks: impl Iterator<Item = &'a Attack>,
    cost: impl Fn(&Attack, usize) -> Result<Cost, Failure>,
) -> Result<(), Failure> {
    let [few, many] = RUNS;
    let ratio = |cost: &Cost| cost.bare / cost.whole;
    let measured = attacks.map(|attack| Ok((attack, cost(attack, few)?)));
    let mut measured = measured.collect::<Result<Vec<_>, Failure>>()?;
    measured.sort_by(|(_, one), (_, other)| ratio(other).total_cmp(&ratio(one)));
    let again = measured.iter().take(ONCE_MORE).map(|(attack, _)| Ok((*attack, cost(attack, many)?)));
    let again = again.collect::<Result<Vec<_>, Failure>>()?;
    let found = again.iter().max_by(|(_, one), (_, other)| ratio(one).total_cmp(&ratio(other)));
    let ((name, ..), Cost { whole, bare }) = found.ok_or("there is no token to refuse")?;
    let told = format!("dearest of {} attack tokens at {at} ({name}) / a good token", measured.len());
    tell(&told, Cost { whole: *bare, bare: *whole })
}

fn of_bypass(house: &House, attack: &Attack, runs: usize) -> Result<Cost, Failure> {
    let message = house.message(attack);
    Ratio {
        name: &format!("the bypass and {}", attack.0),
        runs,
        prepare: &|| house.patch(),
        whole: &|exchange| house.bypass(exchange),
        bare: &|| house.change(message.clone()).is_ok_and(|exchange| house.refuses(exchange)),
    }
    .median()
}

/// A realm with one issuer, and the issuer's key.
struct TokenIssuer {
    realm: JwtRealm,
    key: Key,
    _folder: tempfile::TempDir,
}

impl TokenIssuer {
    /// Its set has more keys, which an attack may name.
    fn build() -> Result<Self, Failure> {
        let (folder, key) = (tempfile::tempdir()?, Key::p256());
        let p384 = MessageSigningKey::generate(KeyKind::Ec(EcCurve::P384))?.public_jwk();
        let keys = [
            listed(key.public(), KID, "sig"),
            listed(key.public(), "enc-1", "enc"),
            listed(Key::p256().public(), "key-2", "sig"),
            json!({"kty": "oct", "kid": "oct-1", "k": "AA"}),
            listed(p384, "p384-1", "sig"),
        ];
        let file = folder.path().join("keys.json");
        std::fs::write(&file, json!({"keys": keys}).to_string())?;
        let pace = Pace { refresh: LONG, keep: LONG, retry: LONG };
        let issuer = |name: &str| Issuer {
            issuer: name.to_owned(),
            audience: "gate".to_owned(),
            algorithms: vec![Algorithm::Es256],
            typ: None,
            user: Claim("sub".to_owned()),
            name: None,
            roles: Some(Claim("roles".to_owned())),
            bound: Vec::new(),
            levels: Vec::new(),
            keys: IssuerKeys::new(name.to_owned(), Source::File(file.clone()), pace, Arc::new(SystemClock)),
        };
        let settings = Settings {
            realm: "partners".to_owned(),
            domain: "main".to_owned(),
            level: 1,
            clock_skew: Duration::from_secs(60),
        };
        let realm = JwtRealm::new(settings, vec![issuer(ISSUER)], Arc::new(SystemClock));
        Ok(Self { realm, key, _folder: folder })
    }

    /// A token that was never shown before, signed and written in this way.
    fn token(&self, attack: &Attack) -> String {
        let soon = SystemClock.now().seconds() + 600;
        let claims = json!({"iss": ISSUER, "aud": "gate", "sub": "e-1", "exp": soon, "x": uuid::Uuid::new_v4()});
        let sign = |input: &str| self.key.sign(input);
        Victim { public: self.key.public(), sign: &sign, issuer: ISSUER, claims: claims.to_string() }.token(attack)
    }

    fn cost(&self, house: &House, attack: &Attack, runs: usize) -> Result<Cost, Failure> {
        let (bad, client) = (self.token(attack), client(ListenerClass::Public));
        Ratio {
            name: &format!("the realm and {}", attack.0),
            runs,
            prepare: &|| Ok(self.token(&GOOD)),
            whole: &|token| matches!(house.block_on(self.realm.verify(&token, &client)), Ok(Ok(_))),
            bare: &|| matches!(house.block_on(self.realm.verify(&bad, &client)), Ok(Err(_))),
        }
        .median()
    }
}

fn listed(mut jwk: Value, kid: &str, purpose: &str) -> Value {
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), kid.into());
        members.insert("use".to_owned(), purpose.into());
    }
    jwk
}
