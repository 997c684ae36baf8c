//! What a configuration says otherwise than the one before (`gateway.md` 6.3).

use super::{Config, FidoUaf, Limits};

impl Config {
    /// The keys of the file's root whose values are others, or come to others.
    #[must_use]
    pub fn changed_from(&self, before: &Self) -> Vec<&'static str> {
        let sections = [
            ("try-out", self.try_out != before.try_out),
            ("public-url", self.public_url != before.public_url),
            ("data", self.data != before.data),
            ("listeners", self.listeners != before.listeners),
            ("limits", self.limits != before.limits),
            ("domains", self.domains != before.domains),
            ("realms", self.realms != before.realms),
            ("internal-callers", self.internal_callers != before.internal_callers),
            ("fido-uaf", self.fido_uaf != before.fido_uaf),
            ("upstreams", self.upstreams != before.upstreams),
            ("filters", self.filters != before.filters),
            ("fronting", self.fronting != before.fronting),
            ("routes", self.routes != before.routes),
            ("sec-token", self.sec_token != before.sec_token),
            ("log", self.log != before.log),
        ];
        named(sections)
    }

    /// The keys, with their paths, of what is fixed from start to end, and is another one than in the configuration of
    /// the start: a gateway has to be restarted for it.
    #[must_use]
    pub fn fixed_otherwise(&self, start: &Self) -> Vec<String> {
        let mut keys = named([
            ("try-out", self.try_out != start.try_out),
            ("data", self.data != start.data),
            ("listeners", self.listeners.len() != start.listeners.len()),
            ("log.level", self.log.level != start.log.level),
        ])
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
        for (index, (here, there)) in self.listeners.iter().zip(&start.listeners).enumerate() {
            let fixed = [
                ("class", here.class != there.class),
                ("address", here.address != there.address),
                ("proxy-protocol", here.balancers != there.balancers),
                ("forwarded", here.proxies != there.proxies),
                ("http2", here.http2 != there.http2),
                ("tls", here.tls.is_some() != there.tls.is_some()),
            ];
            keys.extend(named(fixed).into_iter().map(|key| format!("listeners[{index}].{key}")));
        }
        keys.extend(limits(&self.limits, &start.limits).into_iter().map(|key| format!("limits.{key}")));
        if let (Some(here), Some(there)) = (&self.fido_uaf, &start.fido_uaf)
            && here.app_id != there.app_id
        {
            keys.push("fido-uaf.app-id".to_owned());
        }
        let is_behind = |config: &Self| config.fido_uaf.as_ref().is_some_and(FidoUaf::is_behind);
        if is_behind(self) != is_behind(start) {
            keys.push("fido-uaf.upstream".to_owned());
        }
        keys
    }
}

fn named<const N: usize>(keys: [(&'static str, bool); N]) -> Vec<&'static str> {
    keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

fn limits(here: &Limits, there: &Limits) -> Vec<&'static str> {
    named([
        ("connections", here.connections != there.connections),
        ("connections-share", here.connections_share != there.connections_share),
        ("header-time", here.header_time != there.header_time),
        ("header-fields", here.header_fields != there.header_fields),
        ("header-size", here.header_size != there.header_size),
        ("body-size", here.body_size != there.body_size),
        ("body-rate", here.body_rate != there.body_rate),
        ("body-window", here.body_window != there.body_window),
        ("write-time", here.write_time != there.write_time),
        ("streams", here.streams != there.streams),
        ("requests", here.requests != there.requests),
        ("idle", here.idle != there.idle),
        ("stop", here.stop != there.stop),
        ("operations", here.operations != there.operations),
        ("sessions", here.sessions != there.sessions),
        ("anonymous-share", here.anonymous_share != there.anonymous_share),
    ])
}
