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
