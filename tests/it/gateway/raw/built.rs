//! The same tables of the built binary, whose configuration says what the front in this process was put together from.

use super::super::origin::Origin;
use super::table::{self, Doors, Row, Way};
use super::{http1, http2};
use crate::support::gateway::Setup;

/// Takes JSON, and is served by the binary itself: `/count` of the tables.
const COUNT: &str = "/nevisfido/status";

/// What the tables say of `/up/*`, `/capped/*`, `/hello` and `/closed`.
fn configuration(behind: &Origin, beside: &Origin) -> String {
    let row = |name: &str, path: &str, methods: &str, filter: &str, upstream: &str| {
        format!(
            "  - {{name: {name}, path: \"{path}\", methods: [{methods}], filters: [{filter}], upstream: {upstream}}}\n"
        )
    };
    let rows = [
        row("up", "/up/*", "GET, POST", "told", "behind"),
        row("capped", "/capped/*", "POST", "", "behind"),
        row("hello", "/hello", "GET", "", "beside"),
        row("closed", "/closed", "POST", "customers", "behind"),
    ];
    format!(
        "limits: {{header-time: 1s, body-window: 1s, idle: 1h}}\n\
         upstreams:\n  behind: {{url: \"http://{}\"}}\n  beside: {{url: \"http://{}\"}}\n\
         filters:\n  told: {{type: delegation, rules: [\"CONST:alice:X-User\"]}}\n\
         \x20 customers: {{type: identity-creation, domain: main}}\nroutes:\n{}",
        behind.address,
        beside.address,
        rows.concat()
    )
}

/// Each row holds of the binary, over both of its listeners; no filter of a configuration takes in any body, as `/held/*` does.
async fn holds(rows: &[Row], ways: [impl Way; 2]) {
    let (behind, beside) = (Origin::start(), Origin::start());
    let gateway = Setup::default().tls().append(configuration(&behind, &beside)).start().await;
    let doors = Doors { plain: gateway.address("public"), tls: gateway.tls_address() };
    for way in ways {
        table::hold(&doors, &behind, rows.iter().filter(|row| !row.is_of("/held/")), way);
    }
}

#[tokio::test]
async fn the_table_of_http1_holds_of_the_binary() {
    holds(&http1::rows(COUNT), [http1::Way::AtOnce, http1::Way::Tls]).await;
}

#[tokio::test]
async fn the_table_of_http2_holds_of_the_binary() {
    holds(&http2::rows(COUNT), [http2::Way::AtOnce, http2::Way::Tls]).await;
}
