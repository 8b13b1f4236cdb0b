//! What a log source is: its table, its parser, its envelopes and its own columns, declared in `sources/<name>.yml`.

use std::collections::HashSet;

use serde::Deserialize;

use crate::error::{LakeError, Result};
use crate::parsers::ParserKind;
use crate::schema::{ColumnSpec, PARTITION, RAW, common_columns, is_common, raw_column};

macro_rules! sources {
    ($($name:literal,)*) => {
        /// Every source, in the order of listings. A source is added by its YAML file and its line here.
        const DECLARATIONS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../sources/", $name, ".yml"))),)*];
    };
}

sources! {
    "cloudtrail", "vpc_flow", "guardduty", "gcp_audit", "azure_activity", "okta", "google_workspace", "microsoft365",
    "duo", "crowdstrike", "jamf", "slack", "snowflake", "salesforce", "onepassword", "github", "kubernetes", "docker",
    "syslog", "windows", "dns", "web", "json",
}

/// One log source.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// Name of the source and of its table.
    pub name: String,
    pub title: String,
    pub description: String,
    /// `None`: the table stands in the catalog, but only rows that have its columns can be loaded.
    pub parser: Option<ParserKind>,
    pub envelopes: Envelopes,
    /// The source's own typed columns.
    pub columns: Vec<ColumnSpec>,
    /// Whether fields become columns as they are seen.
    pub infer_columns: bool,
}

/// Where events sit in what a vendor delivers, by the key that holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelopes {
    /// An array of events: `{"Records": [..]}`.
    #[serde(default)]
    pub arrays: Vec<String>,
    /// One event: `{"detail": {..}}`. A dotted path goes deeper.
    #[serde(default)]
    pub objects: Vec<String>,
    /// One event as JSON or plain text in a string: `{"CloudTrailEvent": "{..}"}`.
    #[serde(default)]
    pub strings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    title: String,
    description: String,
    #[serde(default)]
    parser: Option<ParserKind>,
    #[serde(default)]
    envelopes: Envelopes,
    #[serde(default)]
    columns: Vec<ColumnSpec>,
    #[serde(default)]
    infer_columns: bool,
}

impl SourceSpec {
    fn parse(name: &str, yaml: &str) -> Result<SourceSpec> {
        let invalid = |reason: String| LakeError::SourceInvalid { name: name.to_owned(), reason };
        let declaration: Declaration = serde_yaml_ng::from_str(yaml).map_err(|error| invalid(error.to_string()))?;
        let mut seen = HashSet::new();
        for column in &declaration.columns {
            if is_common(&column.name) || column.name == RAW || column.name == PARTITION || !seen.insert(&column.name) {
                return Err(invalid(format!("column \"{}\" is already taken", column.name)));
            }
        }
        Ok(SourceSpec {
            name: name.to_owned(),
            title: declaration.title,
            description: declaration.description,
            parser: declaration.parser,
            envelopes: declaration.envelopes,
            columns: declaration.columns,
            infer_columns: declaration.infer_columns,
        })
    }

    /// All columns of the table in order: common, own, `inferred`, raw.
    pub fn table_columns(&self, inferred: &[ColumnSpec]) -> Vec<ColumnSpec> {
        common_columns()
            .chain(self.columns.iter().cloned())
            .chain(inferred.iter().cloned())
            .chain([raw_column()])
            .collect()
    }
}

/// Reads every embedded declaration.
pub fn sources() -> Result<Vec<SourceSpec>> {
    DECLARATIONS.iter().map(|(name, yaml)| SourceSpec::parse(name, yaml)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_valid_and_every_file_is_listed() {
        let listed: HashSet<String> = sources().unwrap().into_iter().map(|source| source.name).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sources");
        let on_disk: HashSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(listed, on_disk);
        assert_eq!(listed.len(), 23);
    }

    #[test]
    fn a_column_cannot_hide_a_common_one() {
        let yaml = "title: T\ndescription: D\ncolumns:\n  - {name: time, type: text}\n";
        assert!(matches!(SourceSpec::parse("x", yaml), Err(LakeError::SourceInvalid { .. })));
    }
}
