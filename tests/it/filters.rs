//! Filters for rows of one's own (`gateway.md` 3), from outside.

mod caching;
mod headers;
mod ip_list;
mod rate_limit;
mod role;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::gateway::{Gateway, Setup};
use crate::support::upstream::Upstream;

/// A shop behind these filters, which are written as in a file, and rows: a name, which is its path's first segment, and
/// its filters.
fn shop(upstream: &Upstream, filters: &str, rows: &[(&str, &str)]) -> Setup {
    shop_at(upstream.address, filters, rows)
}

fn shop_at(upstream: SocketAddr, filters: &str, rows: &[(&str, &str)]) -> Setup {
    let row = |(name, chain): &(&str, &str)| {
        format!(
            "  - {{name: {name}, path: '/{name}/{{item}}', methods: [GET], filters: [{chain}], upstream: shop, \
             on: [public, internal]}}\n"
        )
    };
    Setup::default().append(format!(
        "upstreams:\n  shop: {{url: \"http://{}\"}}\nfilters:\n{filters}routes:\n{}",
        upstream,
        rows.iter().map(row).collect::<String>()
    ))
}

/// All that the gateway says to a request over HTTP/1.1 with these fields, also before its answer.
async fn told(gateway: &Gateway, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(gateway.address("public")).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
