//! What is meant for listeners that are not there.

use crate::config::{InternalCaller, Listener, Row};
use crate::routes::ListenerClass;

use super::Assembly;

impl Assembly<'_, '_> {
    /// Notes where the file puts a row on listeners of a class that has none, and internal callers who can't call. Of default
    /// rows that stay where they are nothing is said: they are on whatever there is.
    pub(super) fn note_unheard(&self, listeners: &[Listener], callers: &[InternalCaller], rows: &[Row]) {
        let is_there = |class: &ListenerClass| listeners.iter().any(|listener| listener.class == *class);
        let routes = self.field("routes");
        for row in rows {
            let written = ["on", "path"].into_iter().find_map(|key| routes.written_in_item(&row.name, key));
            let (there, missing): (Vec<_>, Vec<_>) = row.on.iter().partition(|class| is_there(class));
            let Some(field) = written.filter(|_| !missing.is_empty()) else { continue };
            let missing = named(&missing, " or ");
            field.notice(match &there[..] {
                [] => format!("no listener has the class {missing}, so nobody reaches the row {}", row.name),
                there => {
                    format!(
                        "no listener has the class {missing}: the row {} is on {} listeners alone",
                        row.name,
                        named(there, " and ")
                    )
                }
            });
        }
        if !callers.is_empty() && !is_there(&ListenerClass::Internal) {
            let names: Vec<&str> = callers.iter().map(|caller| caller.name.as_str()).collect();
            let text = format!("no listener has the class internal, so these can't call: {}", names.join(", "));
            self.field("internal-callers").notice(text);
        }
    }
}

fn named(classes: &[&ListenerClass], between: &str) -> String {
    classes.iter().map(|class| class.name()).collect::<Vec<_>>().join(between)
}
