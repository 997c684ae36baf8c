//! Logins of browsers that phones approve (`gateway.md` 3.1).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, header};
use sidegate_filters::clock::Clock;
use sidegate_filters::{Caller, Exchange, UsernameMapper};
use zeroize::Zeroizing;

use super::super::{Approvals, OobLoginEndpoint, OobStandingEndpoint};
use super::send;
use crate::fido::AnswerAt;
use crate::identity::oob::Settings;
use crate::identity::testing::{exchange, pair, realm};
use crate::identity::{LoginPages, OobRealm, Throttle};
use crate::jose::MacKey;
use crate::oob::testing::journal::Journaled;
use crate::oob::testing::{House, Phone, Plan, payload};
use crate::store::operation::OperationKind;
use crate::store::{PasswordHash, Users};

const LIFETIME: Duration = Duration::from_secs(1200);

struct Bench {
    house: House,
    throttle: Arc<Throttle>,
    approvals: Arc<Approvals>,
}

/// What a browser sees, and the cookies that it keeps.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    location: String,
    page: String,
    cookies: BTreeMap<String, String>,
}

fn approvals(house: &House, throttle: &Arc<Throttle>, name: &str, key: u8) -> Arc<Approvals> {
    let key = MacKey::new(&Zeroizing::new([key; 32])).unwrap();
    let settings = Settings { realm: realm(name, 2, true), dispatcher: "link".into(), key, lifetime: LIFETIME };
    let users: Arc<dyn Users> =
        Arc::new(Journaled { journal: house.journal.clone(), store: Arc::clone(&house.users) as Arc<dyn Users> });
    let (operations, clock) = (Arc::clone(&house.operations), Arc::clone(&house.clock) as Arc<dyn Clock>);
    let sessions = Arc::clone(&house.domain.sessions);
    let realm = OobRealm::new(settings, sessions, users, operations, Arc::clone(throttle), clock);
    Arc::new(Approvals::new(realm, Arc::clone(&house.tokens), pages(house)))
}

fn pages(house: &House) -> Arc<LoginPages> {
    let pages = Arc::into_inner(house.domain.pages()).unwrap();
    Arc::new(pages.with_approvals(Some(realm("oob", 2, true))))
}

impl Bench {
    fn new(plan: Plan) -> Self {
        let house = House::with(plan);
        let throttle = house.domain.throttle(9);
        let approvals = approvals(&house, &throttle, "oob", 6);
        Self { house, throttle, approvals }
    }

    async fn exchange(&self, method: Method, cookies: &str) -> Exchange {
        let mut exchange = exchange(method, &[("accept", "text/html"), ("sec-fetch-site", "same-origin")]);
        if !cookies.is_empty() {
            exchange.headers.insert(header::COOKIE, cookies.parse().unwrap());
        }
        self.house.domain.admit(&mut exchange).await;
        exchange
    }

    async fn ask(&self, cookies: &str, form: &str) -> Seen {
        let exchange = Exchange { body: Some(form.to_owned().into()), ..self.exchange(Method::POST, cookies).await };
        seen(&send(&OobLoginEndpoint(Arc::clone(&self.approvals)), exchange).await)
    }

    async fn look(&self, cookies: &str) -> Seen {
        self.look_through(&self.approvals, cookies).await
    }

    async fn look_through(&self, approvals: &Arc<Approvals>, cookies: &str) -> Seen {
        let exchange = self.exchange(Method::GET, cookies).await;
        seen(&send(&OobStandingEndpoint(Arc::clone(approvals)), exchange).await)
    }

    /// The cookie of a login that jeff's browser began, and the request that its link leads to.
    async fn begun(&self, cookies: &str, form: &str) -> (String, crate::fido::UafRequest) {
        let asked = self.ask(cookies, form).await;
        assert_eq!((asked.status, asked.location.as_str()), (StatusCode::SEE_OTHER, "/auth/oob"), "{asked:?}");
        let cookie = asked.login();
        let request = self.open(&self.look(&cookie).await).await;
        (cookie, request)
    }

    async fn open(&self, waiting: &Seen) -> crate::fido::UafRequest {
        let link = waiting.page.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap();
        let token = payload(link)["nma_data"]["token"].as_str().unwrap().to_owned();
        self.house.redeem(OperationKind::Auth, &token).await.1.unwrap()
    }
}

fn seen(response: &http::Response<bytes::Bytes>) -> Seen {
    let text = |name| response.headers().get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned());
    let cookies = response.headers().get_all(header::SET_COOKIE).iter().map(|field| {
        let (name, value) =
            pair(field).split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        (name, value)
    });
    Seen {
        status: response.status(),
        location: text(header::LOCATION).unwrap_or_default(),
        page: String::from_utf8(response.body().to_vec()).unwrap(),
        cookies: cookies.collect(),
    }
}

impl Seen {
    /// `name=value` of the cookie of the login.
    fn login(&self) -> String {
        format!("__Host-sidegate-main.login={}", self.cookies["__Host-sidegate-main.login"])
    }

    /// `name=value` of the cookie of the session, if there is one.
    fn session(&self) -> Option<String> {
        self.cookies.get("__Host-sidegate-main").map(|value| format!("__Host-sidegate-main={value}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_looks_one_makes_a_session() {
    let bench = Arc::new(Bench::new(Plan::default()));
    let mut phone = bench.house.phone("jeff").await;
    for _ in 0..5 {
        let (cookie, request) = bench.begun("", "isiwebuserid=jeff").await;
        bench.house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
        let looks: Vec<_> = (0..20)
            .map(|_| {
                let (bench, cookie) = (Arc::clone(&bench), cookie.clone());
                tokio::spawn(async move { bench.look(&cookie).await })
            })
            .collect();
        let mut sessions = 0;
        for look in looks {
            let look = look.await.unwrap();
            assert_eq!((look.status, look.location.as_str()), (StatusCode::SEE_OTHER, "/home"));
            assert_eq!(look.login(), "__Host-sidegate-main.login=");
            sessions += usize::from(look.session().is_some());
        }
        assert_eq!(sessions, 1);
    }
}

#[tokio::test]
async fn a_cookie_is_good_in_its_realm_only_and_for_its_time() {
    let bench = Bench::new(Plan::default());
    let mut phone = bench.house.phone("jeff").await;
    let (cookie, request) = bench.begun("", "isiwebuserid=jeff").await;
    bench.house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
    for (name, key) in [("other", 6), ("oob", 7)] {
        let elsewhere = approvals(&bench.house, &bench.throttle, name, key);
        let over = bench.look_through(&elsewhere, &cookie).await;
        assert!(over.status == StatusCode::UNAUTHORIZED && over.session().is_none(), "{over:?}");
    }
    bench.house.clock.advance(LIFETIME);
    let late = bench.look(&cookie).await;
    assert!(late.page.contains("This login is over") && late.session().is_none(), "{late:?}");
}

#[tokio::test]
async fn a_session_is_raised_by_its_own_user_alone() {
    let bench = Bench::new(Plan::default());
    let (mut jeff, mut eve) = (bench.house.phone("jeff").await, bench.house.phone("eve").await);
    let password = realm("password", 1, true);
    let session = bench.house.domain.login("jeff", &password, None).await.unwrap();
    let sid = bench.house.domain.session(&session).await.unwrap().sid.clone();
    // Eve's approval of a login in her name is one of its own.
    let (cookie, request) = bench.begun(&session, "isiwebuserid=eve").await;
    bench.house.answer(AnswerAt::Authentication, &eve.authenticate(&request)).await.unwrap();
    let (own, asked) = bench.begun(&session, "").await;
    bench.house.answer(AnswerAt::Authentication, &jeff.authenticate(&asked)).await.unwrap();
    let raised = bench.look(&format!("{session}; {own}")).await.session().unwrap();
    let raised = bench.house.domain.session(&raised).await.unwrap();
    assert_eq!((raised.sid.as_str(), raised.level(), raised.realm()), (sid.as_str(), 2, "oob"));
    let eves = bench.look(&format!("{session}; {cookie}")).await.session().unwrap();
    let eves = bench.house.domain.session(&eves).await.unwrap();
    assert!(eves.name == "eve" && eves.sid != sid);
    assert!(bench.house.domain.session(&session).await.is_none(), "the one that was presented has ended");
}

#[tokio::test]
async fn whoever_failed_elsewhere_in_a_network_waits_and_asking_costs_nothing() {
    let bench = Bench::new(Plan::default());
    for _ in 0..50 {
        assert_eq!(bench.ask("", "isiwebuserid=jeff").await.status, StatusCode::SEE_OTHER);
    }
    let unknown = bench.ask("", "isiwebuserid=nobody").await;
    assert!(unknown.status == StatusCode::UNAUTHORIZED && unknown.cookies.is_empty(), "{unknown:?}");
    for _ in 0..20 {
        bench.ask("", "isiwebuserid=nobody").await;
    }
    bench.house.journal.take();
    let slowed = bench.ask("", "isiwebuserid=nobody").await;
    assert!(slowed.status == StatusCode::TOO_MANY_REQUESTS && slowed.page.contains("Too many attempts"), "{slowed:?}");
    assert!(bench.house.journal.take().iter().all(|question| question.starts_with("sessions")));
}

#[tokio::test]
async fn where_there_is_no_room_nothing_begins() {
    let bench = Bench::new(Plan { budget: 1000, ..Plan::default() });
    let full = bench.ask("", "isiwebuserid=jeff").await;
    assert!(full.status == StatusCode::SERVICE_UNAVAILABLE && full.cookies.is_empty(), "{full:?}");
    assert!(full.page.contains("not available just now") && full.page.contains("value=\"jeff\""));
}

/// What happens to a login of this name that is answered with a forgery, and what the stores were asked.
async fn transcript(bench: &Bench, forger: &Phone, name: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut step =
        |said: String| steps.push(format!("{said}: {:?} {}", bench.house.journal.take(), bench.house.budget.used()));
    let before = bench.house.budget.used();
    let asked = bench.ask("", &format!("isiwebuserid={name}")).await;
    let cookie = asked.login();
    step(format!("{} {} {}", asked.status, cookie.len(), bench.house.budget.used() - before));
    let waiting = bench.look(&cookie).await;
    step(format!("{} {}", waiting.status, waiting.page.len()));
    let request = bench.open(&waiting).await;
    step(format!("{}", request.message.len()));
    let waiting = bench.look(&cookie).await;
    step(format!("{} {}", waiting.status, waiting.page));
    let refused = bench.house.answer(AnswerAt::Authentication, &forger.forge(&request)).await;
    step(format!("{refused:?}"));
    let failed = bench.look(&cookie).await;
    step(format!("{} {}", failed.status, failed.page.len()));
    bench.house.clock.advance(LIFETIME);
    bench.house.operations.sweep().await.unwrap();
    step("swept".into());
    steps
}

#[tokio::test]
async fn the_same_is_done_for_who_exists_has_no_key_or_is_not_there() {
    let bench = Bench::new(Plan { hide_users: true, ..Plan::default() });
    bench.house.phone("jeff").await;
    // With an extId as users have them.
    bench.house.users.add("nora", PasswordHash::of(b"x").unwrap()).await.unwrap();
    bench.house.users.add("real", PasswordHash::of(b"x").unwrap()).await.unwrap();
    let forger = bench.house.phone("eve").await;
    bench.house.phone("real").await;
    bench.house.clock.advance(LIFETIME);
    bench.house.operations.sweep().await.unwrap();
    bench.house.journal.take();
    let real = transcript(&bench, &forger, "real").await;
    assert!(real.iter().any(|step| step.starts_with("Err(1498)")), "{real:#?}");
    for name in ["nora", "dora"] {
        assert_eq!(transcript(&bench, &forger, name).await, real, "{name}");
    }
}

#[tokio::test]
async fn a_browser_calls_users_by_what_they_log_in_with_whatever_others_call_them() {
    for hide_users in [false, true] {
        let bench = Bench::new(Plan { mapper: UsernameMapper::ExtId, hide_users, ..Plan::default() });
        let mut phone = bench.house.phone("jeff").await;
        let (cookie, request) = bench.begun("", "isiwebuserid=jeff").await;
        bench.house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
        let session = bench.look(&cookie).await.session().unwrap();
        assert_eq!(bench.house.domain.session(&session).await.unwrap().name, "jeff");
    }
}

#[tokio::test]
async fn what_happens_to_its_user_meanwhile_voids_a_login() {
    for change in 0..3 {
        let bench = Bench::new(Plan::default());
        let mut phone = bench.house.phone("jeff").await;
        let (cookie, request) = bench.begun("", "isiwebuserid=jeff").await;
        bench.house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
        let jeff = bench.house.users.get("jeff");
        match change {
            0 => bench.house.domain.sessions.end_all(&jeff.ext_id).await.unwrap(),
            1 => drop(bench.house.users.set_password("jeff", PasswordHash::of(b"x").unwrap()).await.unwrap()),
            _ => drop(bench.house.users.remove("jeff").await.unwrap()),
        }
        let over = bench.look(&cookie).await;
        assert!(over.page.contains("This login is over") && over.session().is_none(), "{change}: {over:?}");
    }
}

#[tokio::test]
async fn an_approval_waits_until_its_user_can_be_asked_for() {
    let bench = Bench::new(Plan::default());
    let mut phone = bench.house.phone("jeff").await;
    let (cookie, request) = bench.begun("", "isiwebuserid=jeff").await;
    bench.house.answer(AnswerAt::Authentication, &phone.authenticate(&request)).await.unwrap();
    *bench.house.users.up.lock().unwrap() = false;
    let down = bench.look(&cookie).await;
    assert!(down.status == StatusCode::SERVICE_UNAVAILABLE && down.cookies.is_empty(), "{down:?}");
    *bench.house.users.up.lock().unwrap() = true;
    assert!(bench.look(&cookie).await.session().is_some());
    assert_eq!(bench.look(&cookie).await.session(), None, "once");
}

#[tokio::test]
async fn a_caller_without_session_has_to_say_who_it_is() {
    let bench = Bench::new(Plan::default());
    for form in ["", "isiwebuserid=", "return="] {
        let refused = bench.ask("", form).await;
        assert!(refused.status == StatusCode::BAD_REQUEST && refused.cookies.is_empty(), "{refused:?}");
    }
    assert_eq!(bench.exchange(Method::GET, "").await.caller, Caller::Anonymous);
}
