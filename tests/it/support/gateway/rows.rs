//! The route table of a gateway, as the program tells it.

use super::Gateway;

/// A line of `explain`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) listeners: Vec<String>,
    pub(crate) protection: String,
    pub(crate) leads_to: String,
}

impl Gateway {
    /// Every row of its configuration, one for each method.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut command = self.program();
        command.arg("explain");
        if let Some(file) = &self.config {
            command.arg("--config").arg(file);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let rows: Vec<_> = text.lines().skip(1).flat_map(rows).collect();
        assert!(!rows.is_empty(), "{text}");
        rows
    }
}

fn rows(line: &str) -> Vec<Row> {
    let cells: Vec<_> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let [_, methods, path, listeners, protection, leads_to] = cells[..] else { panic!("six cells: {line}") };
    let row = |method: &str| Row {
        method: method.to_owned(),
        path: path.to_owned(),
        listeners: listeners.split(", ").map(str::to_owned).collect(),
        protection: protection.to_owned(),
        leads_to: leads_to.to_owned(),
    };
    methods.split(", ").map(row).collect()
}
