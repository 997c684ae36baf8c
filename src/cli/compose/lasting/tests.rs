use std::num::NonZeroU32;
use std::time::Duration;

use sidegate_filters::clock::SystemClock;
use sidegate_filters::rate::Limit;
use sidegate_filters::rate_limit::Per;

use super::*;
use crate::routes::Server;

const T: Millis = Millis(1_000);
const LATER: Millis = Millis(2_000);

fn calm() -> RateLimit {
    let limit = Limit { burst: NonZeroU32::MIN, every: Duration::from_secs(60) };
    RateLimit { per: Per::Address, limit, exempts_internal: false }
}

fn rate<'a>(lasting: &Lasting, wanted: &[(&'a str, &'a RateLimit)]) -> BTreeMap<&'a str, Arc<Rate>> {
    lasting.rates(wanted.iter().copied(), |limit| Rate::new(limit.limit, Arc::new(SystemClock)))
}

fn upstream() -> Arc<Upstream> {
    Arc::new(Upstream::new("shop", vec![Server::plain("127.0.0.1:1".to_owned())]))
}

#[test]
fn a_composition_that_is_not_served_changes_nothing() {
    let (lasting, calm, shop) = (Lasting::default(), calm(), upstream());
    lasting.begin();
    let first = rate(&lasting, &[("calm", &calm)]);
    lasting.set_upstreams([&shop].into_iter());
    assert_eq!(lasting.published("one", T), T);
    lasting.keep();
    // Half a file, which has neither the filter nor the upstream, and another key.
    lasting.begin();
    rate(&lasting, &[]);
    lasting.set_upstreams([].into_iter());
    assert_eq!(lasting.published("two", T), T);
    // The whole of it.
    lasting.begin();
    let again = rate(&lasting, &[("calm", &calm)]);
    assert!(Arc::ptr_eq(&first["calm"], &again["calm"]), "what it counted is not forgotten");
    assert!(Arc::ptr_eq(&shop, &lasting.upstream("shop").unwrap()));
    assert_eq!((lasting.published("one", LATER), lasting.published("two", LATER)), (T, LATER), "it was not published");
}

#[test]
fn what_is_served_no_more_is_forgotten() {
    let (lasting, calm) = (Lasting::default(), calm());
    lasting.begin();
    let first = rate(&lasting, &[("calm", &calm)]);
    assert_eq!(lasting.published("one", T), T);
    lasting.keep();
    lasting.begin();
    lasting.keep();
    lasting.begin();
    let again = rate(&lasting, &[("calm", &calm)]);
    assert!(!Arc::ptr_eq(&first["calm"], &again["calm"]));
    assert_eq!(lasting.published("one", LATER), LATER);
}
