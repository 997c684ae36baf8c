//! `ip-list`: who may come by where he comes from.

use sidegate_filters::ip_list::IpList;

use crate::config::network::network;
use crate::config::section::Section;

/// `allow` and `deny`.
pub(super) fn read(section: &Section<'_>) -> IpList {
    let (allow, deny) = (section.field("allow"), section.field("deny"));
    let right = "list the networks that may come, or those that may not";
    section.demand_some(&["allow", "deny"], "neither allow nor deny is written", right);
    let allowed = allow.each(network);
    let denied = deny.each(|item| {
        let network = network(item)?;
        if allowed.contains(&network) {
            item.fault("this network is in allow, too", "keep one of them");
        }
        Some(network)
    });
    for list in [&allow, &deny] {
        list.refuse_empty("list networks such as 192.0.2.0/24, or take the key away");
    }
    IpList { allow: allowed, deny: denied }
}
