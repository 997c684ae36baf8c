use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::routes::Server;

fn row(name: &str, pattern: &str, rules: PathRules) -> Route {
    let upstream = Upstream::new("shop", vec![Server::plain("127.0.0.1:1".to_owned())]);
    Route {
        name: name.to_owned(),
        methods: vec![Method::GET],
        path: PathTemplate::parse(pattern).unwrap(),
        pattern: pattern.to_owned(),
        on: vec![ListenerClass::Public],
        rules,
        body_limit: None,
        bodies_of: Vec::new(),
        filters: Chain::default(),
        upstream_path: None,
        websocket: None,
        destination: Destination::Upstream(Arc::new(upstream)),
    }
}

fn router() -> Router {
    let slashes = PathRules { empty_segments: true, ..PathRules::default() };
    let mut there = row("there", "/there/*", PathRules::default());
    there.upstream_path = UpstreamPath::new("/there/*", "/rest/*");
    Router::new(vec![
        row("files", "/files/*", slashes),
        row("status", "/nevisfido/status", PathRules::default()),
        row("item", "/items/{id}", PathRules::default()),
        row("rest", "/rest/*", PathRules::default()),
        row("cart", "/shop/cart", PathRules::default()),
        there,
    ])
}

fn found(raw: &str) -> Result<String, Unrouted> {
    let router = router();
    let path = CanonicalPath::parse(raw).unwrap();
    router.find(ListenerClass::Public, &Method::GET, &path).map(|found| found.route.name.clone())
}

#[rstest]
#[case::allowed_by_the_row("/files//a", Ok("files"))]
#[case::not_allowed_by_the_row("/rest//a", Err(Unrouted::Spelling))]
#[case::another_spelling_than_allowed("/files/a%2Fb", Err(Unrouted::Spelling))]
#[case::own_path("/nevisfido/status/", Ok("status"))]
#[case::own_path_with_an_empty_segment("/nevisfido/status//", Err(Unrouted::Spelling))]
#[case::empty_segment_before("//nevisfido/status", Err(Unrouted::Spelling))]
#[case::as_it_is_written("/shop/cart", Ok("cart"))]
#[case::an_upstream_tells_a_slash_from_none("/shop/cart/", Err(Unrouted::Path))]
#[case::parameter("/items/1;a=b", Err(Unrouted::Spelling))]
#[case::encoded_parameter("/items/1%3Ba=b", Err(Unrouted::Spelling))]
#[case::encoded_slash("/items/a%2Fb", Err(Unrouted::Spelling))]
#[case::no_row("/other", Err(Unrouted::Path))]
fn an_unusual_spelling_is_refused_rather_than_guessed_at(#[case] raw: &str, #[case] expected: Result<&str, Unrouted>) {
    assert_eq!(found(raw), expected.map(str::to_owned));
}

/// The first row is stricter than the one behind it, which allows every spelling.
#[rstest]
#[case::as_they_are("/shop/pay/1", Ok("pay"))]
#[case::clear("/shop//cart;a=b/c%2Fd/%252F", Ok("shop"))]
#[case::no_text("/shop/100%25ab", Err(Unrouted::Ambiguous))]
#[case::slashes_merged("/shop//pay/1", Err(Unrouted::Ambiguous))]
#[case::at_the_beginning("//shop/pay/1", Err(Unrouted::Ambiguous))]
#[case::host_cut("//host/shop/pay/1", Err(Unrouted::Ambiguous))]
#[case::parameters_cut("/shop/pay;x/1", Err(Unrouted::Ambiguous))]
#[case::cut_at_a_parameter("/shop/list;x/cart", Err(Unrouted::Ambiguous))]
#[case::slash("/shop/pay%2F1", Err(Unrouted::Ambiguous))]
#[case::backslash("/shop%5Cpay/1", Err(Unrouted::Ambiguous))]
#[case::twice("/shop/pay%252F1", Err(Unrouted::Ambiguous))]
#[case::twice_a_letter("/shop/p%2561y/1", Err(Unrouted::Ambiguous))]
#[case::one_after_the_other("/shop/%252F;x/p%2561y%255C1", Err(Unrouted::Ambiguous))]
#[case::parameter_escaped_twice("/shop/pay%253Bx/1", Err(Unrouted::Ambiguous))]
#[case::taken_as_it_is("/shop/items/1;x", Err(Unrouted::Ambiguous))]
#[case::taken_as_it_is_though_no_text("/shop/items/%25ff", Err(Unrouted::Ambiguous))]
#[case::alias("/nevisfido//status", Err(Unrouted::Ambiguous))]
#[case::dots_three_times("/shop/%25252e%25252e/x", Err(Unrouted::Ambiguous))]
#[case::end_of_text("/shop/a%2500", Err(Unrouted::Ambiguous))]
fn no_spelling_leads_past_a_stricter_row(#[case] raw: &str, #[case] expected: Result<&str, Unrouted>) {
    let everything = PathRules { empty_segments: true, encoded_slashes: true, double_encoding: true, parameters: true };
    let strict = |name: &str, pattern: &str| row(name, pattern, PathRules::default());
    let router = Router::new(vec![
        strict("status", "/nevisfido/status"),
        strict("pay", "/shop/pay/*"),
        strict("item", "/shop/items/{id}"),
        strict("list", "/shop/list"),
        row("shop", "/shop/*", everything),
        row("rest", "/*", everything),
    ]);
    let found = router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse(raw).unwrap());
    assert_eq!(found.map(|found| found.route.name.clone()), expected.map(str::to_owned));
}

#[test]
fn no_spelling_leads_past_the_methods_of_a_row() {
    let mut posts = row("posts", "/shop/new", PathRules::default());
    posts.methods = vec![Method::POST];
    let parameters = PathRules { parameters: true, ..PathRules::default() };
    let router = Router::new(vec![posts, row("versions", "/shop/new;v=1", parameters)]);
    let found = router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse("/shop/new;v=1").unwrap());
    assert_eq!(found.map(|found| found.route.name.clone()), Err(Unrouted::Ambiguous));
}

/// What the server is sent begins with two slashes for one who decodes it.
#[test]
fn no_spelling_of_a_row_that_is_mapped_names_a_host_there() {
    let slashes = PathRules { encoded_slashes: true, double_encoding: true, ..PathRules::default() };
    let mut risen = row("risen", "/risen/*", slashes);
    risen.upstream_path = UpstreamPath::new("/risen/*", "/*");
    let router = Router::new(vec![risen]);
    for raw in ["/risen/%2Fhost/secret", "/risen/%5C/secret", "/risen/%252Fhost/secret"] {
        let found = router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse(raw).unwrap());
        assert_eq!(found.map(|found| found.route.name.clone()), Err(Unrouted::Ambiguous), "{raw}");
    }
}

#[test]
fn a_path_of_endless_readings_is_refused() {
    let path = format!("/shop/%{}2F", "25".repeat(3_000));
    let router = Router::new(vec![row("shop", "/shop/*", PathRules { double_encoding: true, ..PathRules::default() })]);
    let found = router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse(&path).unwrap());
    assert_eq!(found.map(|found| found.route.name.clone()), Err(Unrouted::Ambiguous));
}

#[test]
fn where_get_is_served_head_is_allowed_too() {
    let refused = |path: &str| {
        let path = CanonicalPath::parse(path).unwrap();
        let mut posts = row("posts", "/files/new", PathRules::default());
        posts.methods = vec![Method::POST];
        let router = Router::new(vec![row("files", "/files/*", PathRules::default()), posts]);
        router.find(ListenerClass::Public, &Method::PUT, &path).map(|found| found.route.name.clone())
    };
    assert_eq!(refused("/files/a"), Err(Unrouted::Method(vec![Method::GET, Method::HEAD])));
    assert_eq!(refused("/files/new"), Err(Unrouted::Method(vec![Method::GET, Method::HEAD, Method::POST])));
}

#[test]
fn what_is_forwarded_is_known_before_any_filter_decides() {
    let router = router();
    let found =
        |raw: &str| router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse(raw).unwrap()).unwrap();
    let there = found("/there/a%2eb");
    assert_eq!((there.path.as_str(), there.forwarded.unwrap().as_str()), ("/there/a.b", "/rest/a.b"));
    assert_eq!(found("/rest/a").forwarded, None);
}

proptest! {
    /// Whoever reads the path that was decided by finds the same row, and nothing to change.
    #[test]
    fn a_decided_path_leads_to_its_row(raw in "/(files|nevisfido/status|items|rest|shop/cart|there)?[a-z/.%;25F]{0,8}") {
        let (Ok(path), router) = (CanonicalPath::parse(&raw), router()) else { return Ok(()) };
        let Ok(found) = router.find(ListenerClass::Public, &Method::GET, &path) else { return Ok(()) };
        let again = router.find(ListenerClass::Public, &Method::GET, &CanonicalPath::parse(found.path.as_str()).unwrap());
        let again = again.map(|again| (again.route.name.clone(), again.path, again.forwarded));
        prop_assert_eq!(again, Ok((found.route.name.clone(), found.path, found.forwarded)));
    }
}
