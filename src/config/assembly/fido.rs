//! Whether the FIDO services, inside or behind, fit to what else is configured.

use std::time::Duration;

use sidegate_filters::{Role, UsernameMapper};

use crate::config::field::Field;
use crate::config::{
    FidoUaf, Fronting, InternalCaller, Joined, LeadsTo, Oob, Realm, RealmKind, Row, Upstream, fido_uaf, fronting,
};

use super::{Assembly, Identity, Table};

impl Assembly<'_, '_> {
    pub(super) fn fronting(
        &self,
        known: &fronting::Known<'_>,
        identity: &Identity,
        routes: &mut [Row],
    ) -> Option<Fronting> {
        let field = self.field("fronting");
        if !field.is_present() {
            return None;
        }
        if self.field("fido-uaf").is_present() {
            field.fault(
                "the section fido-uaf has the same rows answered here",
                "keep fronting for a FIDO server behind that answers them, or fido-uaf to answer them here",
            );
            return None;
        }
        if identity.complete && !identity.realms.iter().any(|realm| realm.kind.makes_sessions()) {
            field.fault("its rows demand a session, and no realm makes any", "add a realm with type: password");
        }
        let by_key = |realm: &&Realm| matches!(realm.kind, RealmKind::FidoUaf | RealmKind::Oob(_));
        if let Some(realm) = identity.realms.iter().find(by_key) {
            field.fault(
                format!("nobody can log in by a realm of type {}: the keys are behind", realm.kind.word()),
                "take that realm away, or write type: password",
            );
        }
        let fronting = fronting::read(&field, known)?;
        fronting::lead_rows(&field, &fronting.upstream, routes);
        Some(fronting)
    }

    /// Requests go to servers in turn, and what begins at one of them must go on at the others.
    pub(super) fn note_servers(&self, fronting: &Fronting, upstreams: &[Upstream]) {
        let servers = upstreams.iter().find(|upstream| upstream.name == fronting.upstream).map(|found| &found.servers);
        if servers.is_some_and(|servers| servers.len() > 1) {
            self.field("fronting").notice(format!(
                "the servers of {} take turns: a ceremony that begins at one of them goes on at another, so they must \
                 share what they remember of it; else name one server",
                fronting.upstream
            ));
        }
    }

    pub(super) fn fido_uaf(&self, try_out: bool, identity: &Identity) -> Option<FidoUaf> {
        let field = self.field("fido-uaf");
        // With both, only that is told.
        if !field.is_present() || self.field("fronting").is_present() {
            return None;
        }
        if identity.complete {
            demand_logins(&field, identity);
        }
        let upstreams = self.field("upstreams").names();
        let known = fido_uaf::Known { public_url: self.public_url, try_out, upstreams: &upstreams };
        field.section(|section| fido_uaf::read(section, &known))
    }

    /// Whoever is asked by a realm of type oob needs a way to the phone, and keys that are known here.
    pub(super) fn check_approvals(&self, identity: &Identity, fido_uaf: Option<&FidoUaf>) {
        let (realms, services) = (self.field("realms"), self.field("fido-uaf"));
        for (realm, oob) in Oob::of(&identity.realms) {
            let name = &realm.name;
            match fido_uaf {
                // What is wrong with the section is told there.
                Some(_) if services.has_fault() => {}
                Some(fido_uaf) => {
                    if let Some((wrong, right)) = oob.unfit(fido_uaf) {
                        realms.of_named(name, "dispatcher").fault(wrong, right);
                    }
                }
                None if services.is_present() || self.field("fronting").is_present() => {}
                None => realms.of_named(name, "type").fault(
                    "this realm asks phones, and there is no section fido-uaf",
                    "configure fido-uaf, or take that realm away",
                ),
            }
        }
    }

    /// Users are made with an extId of ours, so none can be made for one that is given.
    pub(super) fn check_provision(&self, callers: &[InternalCaller], fido_uaf: Option<&FidoUaf>) {
        let by_ext_id = fido_uaf.is_some_and(|fido_uaf| fido_uaf.username_mapper == UsernameMapper::ExtId);
        if let Some(caller) = callers.iter().find(|caller| by_ext_id && caller.roles.contains(&Role::Provision)) {
            self.field("internal-callers").fault(
                format!(
                    "{} has provision: true, and a user who is named by extId, as fido-uaf.username-mapper says, is never \
                     made",
                    caller.name
                ),
                "leave provision there, or write username-mapper: name",
            );
        }
    }

    /// Whoever answers in the upstream's place decides who has logged in.
    pub(super) fn check_uaf_upstream(&self, fido_uaf: Option<&FidoUaf>, table: &Table) {
        let wanted = fido_uaf.and_then(|fido_uaf| fido_uaf.upstream.as_ref());
        let found = wanted.and_then(|wanted| table.upstreams.iter().find(|upstream| upstream.name == wanted.name));
        let (Some(upstream), Some(fido_uaf)) = (found, fido_uaf) else { return };
        self.keep_rows_off(upstream, table);
        let (field, name) = (self.field("fido-uaf"), &upstream.name);
        check_patience(&field, upstream, fido_uaf.time_limits.lease);
        if upstream.servers.len() > 1 {
            field.fault(
                format!("its upstream {name} has several servers, and an answer belongs where its request came from"),
                "name one server there, with url",
            );
        }
        if upstream.servers.iter().any(|server| !server.is_https() && !server.is_loopback()) {
            field.fault(
                format!("its upstream {name} is plain http, and everybody on the way could say who has logged in"),
                "write an https URL there",
            );
        }
    }

    /// Whoever answers in the place of an authentication service says who is calling.
    pub(super) fn check_services(&self, identity: &Identity, table: &Table) {
        for realm in &identity.realms {
            let RealmKind::Forward(forward) = &realm.kind else { continue };
            let Some(upstream) = table.upstreams.iter().find(|upstream| upstream.name == forward.upstream) else {
                continue;
            };
            let (field, name) = (self.field("realms").of_named(&realm.name, "upstream"), &upstream.name);
            if upstream.servers.len() > 1 {
                field.fault(format!("the upstream {name} has several servers"), "name one server there, with url");
            }
            if upstream.servers.iter().any(|server| !server.is_https() && !server.is_loopback()) {
                let wrong = format!("the upstream {name} is plain http: everybody on the way could say who is calling");
                field.fault(wrong, "write an https URL there");
            }
        }
    }

    /// That server takes what comes with the gateway's certificate, or from its address, as the gateway's word.
    fn keep_rows_off(&self, uaf: &Upstream, table: &Table) {
        let behind = Joined::of(uaf, &table.upstreams);
        for row in table.routes.iter().filter(|row| !row.on.is_empty()) {
            match &row.leads_to {
                LeadsTo::Upstream { name, .. } if behind.includes(name) => self.field("routes").fault(
                    format!(
                        "the row {} leads to the UAF server behind, which would take its clients for the gateway",
                        row.name
                    ),
                    "take the row away: fido-uaf.upstream asks that server by itself",
                ),
                _ => {}
            }
        }
    }
}

/// Its rows take sessions of the domain where keys log in; the first key is registered after a login of another kind.
fn demand_logins(field: &Field<'_>, identity: &Identity) {
    let Some(by_key) = identity.realms.iter().find(|realm| realm.kind == RealmKind::FidoUaf) else {
        field.fault("its rows demand a session, but no realm has the type fido-uaf", "add a realm with type: fido-uaf");
        return;
    };
    let domain = &by_key.domain;
    let is_first =
        |realm: &Realm| realm.domain == *domain && matches!(realm.kind, RealmKind::Password | RealmKind::Oob(_));
    if !identity.realms.iter().any(is_first) {
        field.fault(
            format!("its rows demand a session of {domain}, but no realm of that domain has the type password"),
            format!("add a realm with type: password and domain: {domain}"),
        );
    }
}

/// What comes after the lease is lost.
fn check_patience(field: &Field<'_>, upstream: &Upstream, lease: Duration) {
    let longest = upstream.read_timeout.map(|read| upstream.connect_timeout.saturating_add(read));
    if let Some(longest) = longest.filter(|longest| *longest > lease) {
        field.fault(
            format!(
                "a redeem keeps its token for {lease:?}, and its upstream {} may take {longest:?} (connect-timeout and \
                 read-timeout together): what comes late is lost",
                upstream.name
            ),
            "write a shorter read-timeout there, or none, or a longer time-limits.lease here",
        );
    }
}
