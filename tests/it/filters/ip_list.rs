//! `ip-list`: the address of the socket decides.

use super::shop;
use crate::support::upstream::Upstream;

const FILTERS: &str = "  here: {type: ip-list, allow: [127.0.0.1/32]}
  elsewhere: {type: ip-list, allow: [127.0.0.0/8], deny: ['::ffff:127.0.0.1/128']}
";

#[tokio::test]
async fn who_comes_from_another_network_gets_nothing_whatever_his_headers_say() {
    let upstream = Upstream::start().await;
    let gateway = shop(&upstream, FILTERS, &[("here", "here"), ("there", "elsewhere")]).start().await;
    for client in [gateway.public(), gateway.public_http2()] {
        client.get("/here/a").send().await.expect(200);
        client.get("/there/a").send().await.problem(403);
        client.get("/there/a").header("x-forwarded-for", "127.0.0.2").send().await.problem(403);
    }
    let elsewhere = gateway.public().elsewhere();
    elsewhere.get("/there/a").send().await.expect(200);
    for (name, value) in [("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("x-real-ip", "127.0.0.1")]
    {
        elsewhere.get("/here/a").header(name, value).send().await.problem(403);
    }
    assert_eq!(upstream.heads().len(), 3);
}
