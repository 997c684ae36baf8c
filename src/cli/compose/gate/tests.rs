use bytes::Bytes;
use http::{Method, StatusCode};
use rstest::rstest;
use sidegate_filters::Verdict;
use sidegate_filters::clock::SystemClock;

use super::*;
use crate::config::{Environment, Overrides, Source, load};
use crate::identity::testing::{exchange, pair};
use crate::store::users::PasswordHash;
use crate::telemetry::Metrics;

struct House {
    gate: Gate,
    stores: Stores,
    _folder: tempfile::TempDir,
}

fn house(change: impl FnOnce(&mut Config)) -> House {
    let root = tempfile::tempdir().unwrap();
    let overrides = Overrides { data: Some(root.path().join("var")), ..Overrides::default() };
    let mut config = load(&Source::BuiltIn, &overrides, &Environment::new(|_| None)).unwrap();
    change(&mut config);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let folder = DataFolder::open(&config.data).unwrap();
    let stores = Stores::open(&config, &folder, &clock).unwrap();
    let gate = Gate::build(&config, &folder, &stores, &clock, &Arc::new(Metrics::new().unwrap())).unwrap();
    House { gate, stores, _folder: root }
}

impl House {
    /// How a row with this protection answers a user who logged in through `realm`.
    async fn answer(&self, protection: Protection, user: &str, realm: &Realm) -> Option<StatusCode> {
        let user = self.stores.users.add(user, PasswordHash::of(b"secret").unwrap()).await.unwrap();
        let sessions = self.gate.logins(None).unwrap().sessions.clone();
        let attempt = sessions.attempt(&user).await.unwrap();
        let cookie = sessions.login(attempt, realm, None, true).await.unwrap().set_cookie.unwrap();
        let filter = self.gate.for_service(None, protection, false).unwrap();
        let mut asked = exchange(Method::POST, &[("cookie", &pair(&cookie))]);
        match filter.request(&mut asked, &mut Bytes::new()).await.unwrap() {
            Verdict::Pass => None,
            Verdict::Answer(reply) => Some(reply.status()),
        }
    }
}

#[tokio::test]
async fn a_row_for_keys_takes_no_password_whatever_its_level() {
    let house = house(|_| ());
    let fido_uaf = house.gate.fido_uaf().unwrap().clone();
    let password = Realm { name: "password".into(), level: fido_uaf.level + 1, renew: true };
    let refused = Some(StatusCode::UNAUTHORIZED);
    assert_eq!(house.answer(Protection::FidoUaf, "jeff", &password).await, refused);
    assert_eq!(house.answer(Protection::FidoUaf, "eve", &fido_uaf).await, None);
    assert_eq!(house.answer(Protection::Session, "ann", &password).await, None);
}

#[rstest]
#[case(|config: &mut Config| config.limits.sessions = 1, false)]
#[case(|config: &mut Config| config.limits.operations = 1, true)]
#[tokio::test]
async fn sessions_have_room_of_their_own(#[case] change: fn(&mut Config), #[case] logs_in: bool) {
    let house = house(change);
    let user = house.stores.users.add("jeff", PasswordHash::of(b"secret").unwrap()).await.unwrap();
    let sessions = house.gate.logins(None).unwrap().sessions.clone();
    let attempt = sessions.attempt(&user).await.unwrap();
    let realm = house.gate.fido_uaf().unwrap();
    assert_eq!(sessions.login(attempt, realm, None, true).await.is_ok(), logs_in);
}
