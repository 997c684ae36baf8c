//! Filters for rows of one's own (`gateway.md` 3), from outside.

mod caching;
mod headers;
mod ip_list;
mod rate_limit;
mod role;

use std::net::SocketAddr;

use crate::support::gateway::Setup;
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
