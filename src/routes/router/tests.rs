use rstest::rstest;

use super::*;

fn row(name: &str, pattern: &str, rules: PathRules) -> Route {
    let second = Duration::from_secs(1);
    let upstream = Upstream {
        name: "shop".to_owned(),
        address: crate::routes::Address::new("127.0.0.1:1".to_owned()),
        tls: None,
        connect_timeout: second,
        read_timeout: second,
        write_timeout: second,
        idle_timeout: second,
        identity_headers: sidegate_filters::delegation::RemovedHeaders::default(),
    };
    Route {
        name: name.to_owned(),
        methods: vec![Method::GET],
        path: PathTemplate::parse(pattern).unwrap(),
        pattern: pattern.to_owned(),
        on: vec![ListenerClass::Public],
        rules,
        body_limit: None,
        filters: Chain::default(),
        destination: Destination::Upstream(Arc::new(upstream)),
    }
}

fn found(raw: &str) -> Result<String, Unrouted> {
    let slashes = PathRules { empty_segments: true, ..PathRules::default() };
    let router = Router::new(vec![
        row("files", "/files/*", slashes),
        row("status", "/nevisfido/status", PathRules::default()),
        row("item", "/items/{id}", PathRules::default()),
        row("rest", "/rest/*", PathRules::default()),
        row("cart", "/shop/cart", PathRules::default()),
    ]);
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
#[case::encoded_slash("/items/a%2Fb", Err(Unrouted::Spelling))]
#[case::no_row("/other", Err(Unrouted::Path))]
fn an_unusual_spelling_is_refused_rather_than_guessed_at(#[case] raw: &str, #[case] expected: Result<&str, Unrouted>) {
    assert_eq!(found(raw), expected.map(str::to_owned));
}
