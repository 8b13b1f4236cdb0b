//! The columns of the log tables: the common ones, and how a column's type may widen over time.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use mantissa_core::{Column, PgType};
use serde::{Deserialize, Serialize};

/// The type of a lake column. Arrow and Postgres types follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    Text,
    Smallint,
    Integer,
    Bigint,
    Double,
    Boolean,
    Timestamptz,
    /// JSON text; only `raw`.
    Json,
}

impl ColumnType {
    pub fn pg(self) -> PgType {
        match self {
            ColumnType::Text => PgType::TEXT,
            ColumnType::Smallint => PgType::INT2,
            ColumnType::Integer => PgType::INT4,
            ColumnType::Bigint => PgType::INT8,
            ColumnType::Double => PgType::FLOAT8,
            ColumnType::Boolean => PgType::BOOL,
            ColumnType::Timestamptz => PgType::TIMESTAMPTZ,
            ColumnType::Json => PgType::JSON,
        }
    }

    pub fn arrow(self) -> DataType {
        match self {
            ColumnType::Text | ColumnType::Json => DataType::Utf8,
            ColumnType::Smallint => DataType::Int16,
            ColumnType::Integer => DataType::Int32,
            ColumnType::Bigint => DataType::Int64,
            ColumnType::Double => DataType::Float64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// The narrowest type that holds values of both. Only inferred columns meet this.
    pub fn widen(self, other: ColumnType) -> ColumnType {
        use ColumnType::{Bigint, Double, Text};
        match (self, other) {
            (a, b) if a == b => a,
            (Bigint, Double) | (Double, Bigint) => Double,
            _ => Text,
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSpec {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: ColumnType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl ColumnSpec {
    pub fn new(name: impl Into<String>, ty: ColumnType) -> Self {
        Self { name: name.into(), ty, comment: None }
    }

    pub fn catalog_column(&self) -> Column {
        let mut column = Column::new(self.name.clone(), self.ty.pg());
        column.comment.clone_from(&self.comment);
        column.nullable = !matches!(self.name.as_str(), "time" | "event_id");
        column
    }
}

/// Name of the column that holds the event as delivered; always the last one.
pub const RAW: &str = "raw";
/// Name of the partition column: in paths only, never in the catalog or in a file.
pub const PARTITION: &str = "dt";

macro_rules! common_columns {
    ($($position:ident $name:ident $ty:ident $comment:literal,)*) => {
        /// The columns that every log table starts with, in order.
        pub const COMMON: &[(&str, ColumnType, &str)] =
            &[$((stringify!($name), ColumnType::$ty, $comment),)*];

        /// Positions of the common columns.
        #[allow(dead_code)]
        pub mod common {
            #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
            enum Position { $($position,)* }
            $(pub const $position: usize = Position::$position as usize;)*
        }
    };
}

common_columns! {
    TIME time Timestamptz "When the event happened.",
    EVENT_ID event_id Text "The vendor's id of the event, else a hash of its content.",
    SOURCE source Text "Log source; the table's name.",
    CATEGORY category Text "authentication, account_change, api_activity, network_activity, process_activity, file_activity, finding or other.",
    ACTION action Text "The vendor's name of the event.",
    SERVICE service Text "Service or application that the event belongs to.",
    OUTCOME outcome Text "success, failure or unknown.",
    REASON reason Text "Why it failed, as the vendor says it.",
    SEVERITY severity Smallint "0 unknown, 1 informational, 2 low, 3 medium, 4 high, 5 critical.",
    ACTOR_ID actor_id Text "Who did it: the vendor's id.",
    ACTOR_NAME actor_name Text "Who did it: the login name that the vendor shows.",
    ACTOR_TYPE actor_type Text "Kind of actor, as the vendor says it.",
    ACTOR_EMAIL actor_email Text "Who did it: e-mail address.",
    TARGET_ID target_id Text "What it was done to: the vendor's id.",
    TARGET_NAME target_name Text "What it was done to: name.",
    TARGET_TYPE target_type Text "What it was done to: kind.",
    SRC_IP src_ip Text "Where it came from; not always an IP address (CloudTrail names AWS services).",
    SRC_PORT src_port Integer "Port it came from.",
    SRC_COUNTRY src_country Text "Country of src_ip, ISO 3166-1 alpha-2.",
    SRC_CITY src_city Text "City of src_ip.",
    SRC_ASN src_asn Bigint "Autonomous system number of src_ip.",
    SRC_AS_ORG src_as_org Text "Organisation of that autonomous system.",
    DST_IP dst_ip Text "Where it went.",
    DST_PORT dst_port Integer "Port it went to.",
    DST_COUNTRY dst_country Text "Country of dst_ip, ISO 3166-1 alpha-2.",
    USER_AGENT user_agent Text "Client program, as it names itself.",
    ACCOUNT_ID account_id Text "Cloud account, subscription or project.",
    REGION region Text "Cloud region.",
    SESSION_ID session_id Text "Session or access key.",
    MFA mfa Boolean "Whether a second factor was used.",
    IOC ioc Text "Matched threat-intelligence indicator.",
}

/// Columns on which a file carries bloom filters: many values, looked up one at a time.
pub const BLOOM: &[&str] = &[
    "event_id",
    "actor_id",
    "actor_name",
    "actor_email",
    "target_id",
    "target_name",
    "src_ip",
    "dst_ip",
    "session_id",
    "interface_id",
];

/// Columns whose values hardly repeat: no dictionary.
pub const UNIQUE: &[&str] = &["event_id", "raw"];

pub fn common_columns() -> impl Iterator<Item = ColumnSpec> {
    COMMON.iter().map(|(name, ty, comment)| ColumnSpec {
        name: (*name).to_owned(),
        ty: *ty,
        comment: Some((*comment).to_owned()),
    })
}

pub fn is_common(name: &str) -> bool {
    COMMON.iter().any(|(common, _, _)| *common == name)
}

pub fn raw_column() -> ColumnSpec {
    ColumnSpec { name: RAW.to_owned(), ty: ColumnType::Json, comment: Some("The event as delivered.".to_owned()) }
}

/// The Arrow schema over columns in their order.
pub fn arrow_schema(columns: &[ColumnSpec]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, column.ty.arrow(), column.name != "time")).collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_widen_to_what_holds_both() {
        use ColumnType::*;
        assert_eq!(Bigint.widen(Double), Double);
        assert_eq!(Bigint.widen(Bigint), Bigint);
        assert_eq!(Boolean.widen(Bigint), Text);
        assert_eq!(Double.widen(Text), Text);
    }
}
