//! An upstream with a SecToken key of its own, beside others without (`gateway.md` 3.3).

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::support::gateway::{Gateway, Setup};
use crate::support::independent_jose::verify;
use crate::support::phone::Phone;
use crate::support::upstream::Upstream;
use crate::support::wait;

/// The upstreams of one server: two with their own keys, two without.
const NAMES: [&str; 4] = ["bank", "vault", "shop", "blog"];
const COMMON: &str = "/.well-known/jwks.json";

struct House {
    gateway: Gateway,
    behind: Upstream,
    phone: Phone,
}

impl House {
    async fn open() -> Self {
        let behind = Upstream::start().await;
        let upstream = |name: &str| {
            let own = if ["bank", "vault"].contains(&name) { ", sec-token-key: own" } else { "" };
            format!("  {name}: {{url: \"http://{}\"{own}}}\n", behind.address)
        };
        let row = |name: &str| {
            format!(
                "  - {{name: {name}, path: /{name}/*, methods: [GET], filters: [customers, told], upstream: {name}}}\n"
            )
        };
        let setup = Setup::default().user("jeff").append(format!(
            "upstreams:\n{}filters:\n  customers: {{type: identity-creation, domain: main}}\n\
             \x20 told: {{type: delegation, rules: [\"AUTH:user.auth.SecToken:Authorization\"]}}\nroutes:\n{}",
            NAMES.map(upstream).concat(),
            NAMES.map(row).concat(),
        ));
        let gateway = setup.start().await;
        let mut phone = Phone::new(&gateway, "jeff");
        phone.login_password().await;
        Self { gateway, behind, phone }
    }

    async fn keys(&self, path: &str) -> Value {
        self.gateway.public().get(path).send().await.expect(200).json()
    }

    async fn keys_of(&self, upstream: &str) -> Value {
        self.keys(&format!("/.well-known/jwks/{upstream}")).await
    }

    /// The SecToken that this upstream is told.
    async fn token(&self, upstream: &str) -> String {
        self.phone.client().get(&format!("/{upstream}/page")).send().await.expect(200);
        let received = self.behind.received();
        let [authorization] = received.last().unwrap().values("authorization")[..] else { panic!("one Authorization") };
        let token = authorization.strip_prefix("Bearer ").unwrap().to_owned();
        self.gateway.secrets().add("SecToken", token.rsplit('.').next().unwrap());
        token
    }

    /// Each upstream's token is verified by the keys of its set, and its key is in no other's that has its own.
    async fn is_told_apart(&self) {
        for name in NAMES {
            let (header, claims) = verify(&self.keys_of(name).await, &self.token(name).await);
            assert_eq!(claims["aud"], name);
            let own = |name: &str| ["bank", "vault"].contains(&name);
            for other in NAMES.into_iter().filter(|other| *other != name && (own(name) || own(other))) {
                assert!(!kids(&self.keys_of(other).await).contains(header["kid"].as_str().unwrap()), "{name}, {other}");
            }
        }
        assert_eq!(self.keys(COMMON).await, self.keys_of("shop").await);
        assert_eq!(self.keys(COMMON).await, self.keys_of("blog").await);
    }

    fn keygen(&self, whose: &[&str]) -> Output {
        let file = self.gateway.data().with_file_name("sidegate.yml");
        let line = [&["keygen", "--sectoken", "--config", file.to_str().unwrap()], whose].concat();
        self.gateway.command(&line, "")
    }

    /// What is said when no keys are made.
    fn refused(&self, whose: &[&str]) -> String {
        let output = self.keygen(whose);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Makes new keys, and waits until so many are published for bank, vault and the others.
    async fn rotate(&self, whose: &[&str], published: [usize; 3]) {
        let output = self.keygen(whose);
        assert!(output.status.success(), "{output:?}");
        wait::until("they are published", wait::BOUND, async || {
            let sets = [self.keys_of("bank").await, self.keys_of("vault").await, self.keys(COMMON).await];
            (sets.map(|set| kids(&set).len()) == published).then_some(())
        })
        .await;
    }
}

fn kids(set: &Value) -> BTreeSet<String> {
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_signs_for_one_upstream_signs_for_no_other_whichever_key_is_replaced() {
    let house = House::open().await;
    house.is_told_apart().await;
    let before = house.token("bank").await;
    house.rotate(&["--upstream", "bank"], [2, 1, 1]).await;
    verify(&house.keys_of("bank").await, &before);
    house.is_told_apart().await;
    let before = house.keys_of("bank").await;
    let told = house.refused(&["--all"]);
    assert!(told.contains("sectoken-bank.previous.pem") && told.contains("wait "), "{told}");
    assert_eq!(house.keys_of("bank").await, before);
    assert!(!house.gateway.data().join("sectoken-vault.previous.pem").exists(), "all of them or none");
    std::fs::remove_file(house.gateway.data().join("sectoken-bank.previous.pem")).unwrap();
    house.rotate(&["--all"], [2, 2, 2]).await;
    house.is_told_apart().await;
    std::fs::remove_file(house.gateway.data().join("sectoken-vault.previous.pem")).unwrap();
    wait::until("the older key of one is not trusted", wait::BOUND, async || {
        (kids(&house.keys_of("vault").await).len() == 1).then_some(())
    })
    .await;
    house.is_told_apart().await;
}

#[tokio::test]
async fn own_keys_outlive_the_process_and_a_reload_gives_and_takes_them() {
    let mut house = House::open().await;
    let sets = async |house: &House| (house.keys_of("bank").await, house.keys(COMMON).await);
    let (bank, common) = sets(&house).await;
    assert_eq!(house.gateway.upgrade().await, Some(0), "the one before ended well");
    assert_eq!(sets(&house).await, (bank.clone(), common.clone()));
    house.is_told_apart().await;
    let (own, shared) = ("sec-token-key: own}\n  vault", "sec-token-key: common}\n  vault");
    house.gateway.reconfigure(own, shared);
    house.gateway.reloaded("done", 1).await;
    assert_eq!(sets(&house).await, (common.clone(), common.clone()));
    verify(&common, &house.token("bank").await);
    house.gateway.reconfigure(shared, own);
    house.gateway.reloaded("done", 2).await;
    assert_eq!(sets(&house).await, (bank, common));
    house.is_told_apart().await;
}

#[tokio::test]
async fn an_own_key_that_got_lost_is_not_made_anew_under_a_running_gateway() {
    let house = House::open().await;
    let (before, file) = (house.keys_of("bank").await, house.gateway.data().join("sectoken-bank.pem"));
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    house.gateway.reloaded("failed", 1).await;
    let told = async || house.gateway.log().contains("sectoken-bank.pem is gone").then_some(());
    wait::until("it is said", wait::BOUND, told).await;
    assert!(house.keys_of("bank").await == before && !file.exists());
}

#[tokio::test]
async fn there_are_keys_of_upstreams_alone() {
    let house = House::open().await;
    for client in [house.gateway.public(), house.gateway.public_http2()] {
        let kept = client.get("/.well-known/jwks/bank").send().await.expect(200);
        assert_eq!(kept.header("cache-control"), Some("public, max-age=60"));
        assert!(!kept.json().to_string().contains("\"d\""));
        for nobody in ["other", "sectoken", "bank.previous"] {
            client.get(&format!("/.well-known/jwks/{nobody}")).send().await.problem(404);
        }
    }
    for (whose, told) in [("shop", "no upstream shop with a key of its own"), ("other", "no upstream other with a key")]
    {
        let said = house.refused(&["--upstream", whose]);
        assert!(said.contains(told), "{said}");
    }
}
