use bytes::Bytes;
use std::num::NonZeroU32;

use http::{Method, header};
use rstest::rstest;

use super::*;
use crate::clock::{ManualClock, Millis};
use crate::identity::{AuthenticatedSession, Role};
use crate::path::PathTemplate;
use crate::reply::Reply;
use crate::testing::{jeff, request, service};

/// A filter that lets two pass at once, then one every 1.5 s.
struct Bench {
    filter: RateLimitFilter,
    clock: Arc<ManualClock>,
}

fn bench(per: Per, exempts_internal: bool) -> Bench {
    let clock = Arc::new(ManualClock::new(Millis(0)));
    let limit = Limit { burst: NonZeroU32::new(2).unwrap(), every: Duration::from_millis(1_500) };
    let rate = Arc::new(Rate::new(limit, clock.clone()));
    Bench { filter: RateLimitFilter::new(RateLimit { per, limit, exempts_internal }, rate), clock }
}

impl Bench {
    /// `None` where the request passes, else what `Retry-After` says.
    async fn asks(&self, exchange: &mut Exchange) -> Option<String> {
        match self.filter.request(exchange, &mut Bytes::new()).await.unwrap() {
            Verdict::Pass => None,
            Verdict::Answer(Reply::Problem(problem)) => {
                assert_eq!(problem.status, 429);
                Some(problem.headers[header::RETRY_AFTER].to_str().unwrap().to_owned())
            }
            Verdict::Answer(answer) => panic!("{answer:?}"),
        }
    }

    /// Uses up what one sender has.
    async fn exhausted_by(&self, exchange: &mut Exchange) {
        for _ in 0..2 {
            assert_eq!(self.asks(exchange).await, None);
        }
        assert_eq!(self.asks(exchange).await.as_deref(), Some("2"));
    }
}

fn from(address: &str, caller: Caller) -> Exchange {
    let mut exchange = request(Method::GET, "/targets/t-1");
    exchange.client.address = address.parse().unwrap();
    exchange.caller = caller;
    exchange
}

/// The user of this domain and extId, with this session.
fn user(domain: &str, ext_id: &str, sid: &str) -> Caller {
    let Caller::User(session) = jeff() else { panic!("a user") };
    let mut session = (*session).clone();
    (session.domain, session.ext_id, session.sid) = (domain.into(), ext_id.into(), sid.into());
    Caller::User(AuthenticatedSession::granted(session, None))
}

/// A request for the target of this id.
fn to(target: &str, exchange: Exchange) -> Exchange {
    let template = PathTemplate::parse("/targets/{id}").unwrap();
    let path = crate::path::CanonicalPath::parse(&format!("/targets/{target}")).unwrap();
    Exchange { params: template.matches(&path).unwrap(), path, ..exchange }
}

#[tokio::test]
async fn a_burst_passes_and_then_one_after_the_time_that_is_told() {
    let bench = bench(Per::Address, false);
    let mut nobody = from("192.0.2.7", Caller::Anonymous);
    bench.exhausted_by(&mut nobody).await;
    bench.clock.advance(Duration::from_millis(1_000));
    assert_eq!(bench.asks(&mut nobody).await.as_deref(), Some("1"), "rounded up");
    bench.clock.advance(Duration::from_millis(500));
    assert_eq!(bench.asks(&mut nobody).await, None);
    assert_eq!(bench.asks(&mut nobody).await.as_deref(), Some("2"));
}

#[rstest]
#[case("192.0.2.7", "192.0.2.7", true)]
#[case("192.0.2.7", "::ffff:192.0.2.7", true)]
#[case("192.0.2.7", "192.0.2.8", false)]
#[case("2001:db8::1", "2001:db8:0:ff::2", true)]
#[case("2001:db8::1", "2001:db8:0:100::1", false)]
#[tokio::test]
async fn a_network_counts_as_one(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
    let bench = bench(Per::Address, false);
    bench.exhausted_by(&mut from(one, user("main", "e-1", "s-1"))).await;
    assert_eq!(bench.asks(&mut from(other, Caller::Anonymous)).await.is_some(), same);
}

#[rstest]
#[case::elsewhere(user("main", "e-1", "s-1"), true)]
#[case::in_another_session(user("main", "e-1", "s-2"), true)]
#[case::another_user(user("main", "e-2", "s-1"), false)]
#[case::of_another_domain(user("staff", "e-1", "s-1"), false)]
#[case::nobody(Caller::Anonymous, false)]
#[case::a_service(service(&[Role::ActFor]), false)]
#[tokio::test]
async fn a_user_counts_wherever_he_is(#[case] other: Caller, #[case] same: bool) {
    let bench = bench(Per::User, false);
    bench.exhausted_by(&mut from("192.0.2.7", user("main", "e-1", "s-1"))).await;
    assert_eq!(bench.asks(&mut from("198.51.100.7", other)).await.is_some(), same);
}

#[tokio::test]
async fn a_session_counts_alone() {
    let bench = bench(Per::Session, false);
    bench.exhausted_by(&mut from("192.0.2.7", user("main", "e-1", "s-1"))).await;
    assert!(bench.asks(&mut from("198.51.100.7", user("main", "e-1", "s-1"))).await.is_some());
    assert_eq!(bench.asks(&mut from("192.0.2.7", user("main", "e-1", "s-2"))).await, None);
}

#[rstest]
#[case(Per::User)]
#[case(Per::Session)]
#[tokio::test]
async fn who_is_not_known_uses_up_nothing(#[case] per: Per) {
    let bench = bench(per, false);
    for _ in 0..9 {
        assert_eq!(bench.asks(&mut from("192.0.2.7", Caller::Anonymous)).await, None);
    }
    assert_eq!(bench.asks(&mut from("192.0.2.7", user("main", "e-1", "s-1"))).await, None);
}

#[tokio::test]
async fn strangers_do_not_use_up_what_the_owner_of_a_target_has() {
    let bench = bench(Per::Segment("id".into()), false);
    let mut stranger = to("t-1", from("192.0.2.66", Caller::Anonymous));
    bench.exhausted_by(&mut stranger).await;
    bench.exhausted_by(&mut to("t-1", from("192.0.2.66", user("main", "eve", "s-6")))).await;
    bench.exhausted_by(&mut to("t-2", from("192.0.2.66", Caller::Anonymous))).await;
    assert!(bench.asks(&mut stranger).await.is_some());
    assert!(bench.asks(&mut to("T-1", from("192.0.2.66", Caller::Anonymous))).await.is_some(), "another spelling");
    let mut owner = to("t-1", from("192.0.2.66", user("main", "e-1", "s-1")));
    bench.exhausted_by(&mut owner).await;
    bench.exhausted_by(&mut to("t-1", from("192.0.2.7", Caller::Anonymous))).await;
}

#[tokio::test]
async fn a_row_without_the_segment_refuses() {
    let bench = bench(Per::Segment("id".into()), false);
    assert!(bench.filter.request(&mut from("192.0.2.7", Caller::Anonymous), &mut Bytes::new()).await.is_err());
}

#[rstest]
#[case(Per::Address)]
#[case(Per::User)]
#[case(Per::Session)]
#[case(Per::Segment("id".into()))]
#[tokio::test]
async fn internal_callers_count_unless_they_are_exempt(#[case] per: Per) {
    let mut caller = to("t-1", from("127.0.0.1", service(&[])));
    bench(per.clone(), false).exhausted_by(&mut caller).await;
    let exempt = bench(per, true);
    for _ in 0..9 {
        assert_eq!(exempt.asks(&mut caller).await, None);
    }
}

#[rstest]
#[case(Per::Address, false, "2 at once, then one every 1.5 s for each address (/32, /56)")]
#[case(Per::User, true, "2 at once, then one every 1.5 s for each user; no internal caller")]
#[case(Per::Session, false, "2 at once, then one every 1.5 s for each session")]
#[case(Per::Segment("id".into()), false, "2 at once, then one every 1.5 s for each {id} of each user or address")]
fn it_is_told(#[case] per: Per, #[case] exempts_internal: bool, #[case] told: &str) {
    assert_eq!(bench(per, exempts_internal).filter.settings(), told);
}
