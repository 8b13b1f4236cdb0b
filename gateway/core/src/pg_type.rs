//! Postgres's built-in types by OID, as `pg_type` of PostgreSQL 15 lists them.

use std::fmt;

/// A Postgres type. A newtype over its OID, so that types this table does not list still pass through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PgType(pub u32);

macro_rules! pg_types {
    ($($constant:ident $oid:literal $name:literal $sql_name:literal $len:literal $array:literal,)*) => {
        impl PgType {
            $(pub const $constant: PgType = PgType($oid);)*

            /// Every listed type that is no array.
            pub const ALL: &[PgType] = &[$(PgType::$constant,)*];

            /// `typname`: "int4". "unknown" for a type not listed; arrays start with "_".
            pub fn name(self) -> String {
                match self.0 {
                    $($oid => $name.to_owned(),)*
                    $($array if $array != 0 => concat!("_", $name).to_owned(),)*
                    _ => "unknown".to_owned(),
                }
            }

            /// `format_type(oid, null)`: "integer", "integer[]".
            pub fn sql_name(self) -> String {
                match self.0 {
                    $($oid => $sql_name.to_owned(),)*
                    $($array if $array != 0 => concat!($sql_name, "[]").to_owned(),)*
                    other => format!("oid {other}"),
                }
            }

            /// `typlen`: bytes, -1 variable, -2 null-terminated.
            pub fn size(self) -> i16 {
                match self.0 { $($oid => $len,)* _ => -1 }
            }

            /// The array type over this one.
            pub fn array(self) -> Option<PgType> {
                match self.0 { $($oid if $array != 0 => Some(PgType($array)),)* _ => None }
            }

            /// The element type, where this is an array.
            pub fn element(self) -> Option<PgType> {
                match self.0 { $($array if $array != 0 => Some(PgType($oid)),)* _ => None }
            }

            /// Finds a type by `typname` or by the name SQL gives it; `int4[]` and `_int4` name arrays.
            pub fn by_name(name: &str) -> Option<PgType> {
                if let Some(element) = name.strip_suffix("[]").or_else(|| name.strip_prefix('_')) {
                    return PgType::by_name(element.trim())?.array();
                }
                match name {
                    $($name => Some(PgType($oid)),)*
                    _ => PgType::by_sql_name(name),
                }
            }

            fn by_sql_name(name: &str) -> Option<PgType> {
                match name {
                    "int" => return Some(PgType::INT4),
                    "decimal" => return Some(PgType::NUMERIC),
                    "float" => return Some(PgType::FLOAT8),
                    "timestamp" => return Some(PgType::TIMESTAMP),
                    "time" => return Some(PgType::TIME),
                    _ => {}
                }
                $(if name == $sql_name { return Some(PgType($oid)); })*
                None
            }
        }
    };
}

pg_types! {
    BOOL 16 "bool" "boolean" 1 1000,
    BYTEA 17 "bytea" "bytea" -1 1001,
    CHAR 18 "char" "\"char\"" 1 1002,
    NAME 19 "name" "name" 64 1003,
    INT8 20 "int8" "bigint" 8 1016,
    INT2 21 "int2" "smallint" 2 1005,
    INT2VECTOR 22 "int2vector" "int2vector" -1 1006,
    INT4 23 "int4" "integer" 4 1007,
    REGPROC 24 "regproc" "regproc" 4 1008,
    TEXT 25 "text" "text" -1 1009,
    OID 26 "oid" "oid" 4 1028,
    TID 27 "tid" "tid" 6 1010,
    XID 28 "xid" "xid" 4 1011,
    CID 29 "cid" "cid" 4 1012,
    OIDVECTOR 30 "oidvector" "oidvector" -1 1013,
    JSON 114 "json" "json" -1 199,
    XML 142 "xml" "xml" -1 143,
    PG_NODE_TREE 194 "pg_node_tree" "pg_node_tree" -1 0,
    POINT 600 "point" "point" 16 1017,
    CIDR 650 "cidr" "cidr" -1 651,
    FLOAT4 700 "float4" "real" 4 1021,
    FLOAT8 701 "float8" "double precision" 8 1022,
    UNKNOWN 705 "unknown" "unknown" -2 0,
    MONEY 790 "money" "money" 8 791,
    MACADDR 829 "macaddr" "macaddr" 6 1040,
    INET 869 "inet" "inet" -1 1041,
    ACLITEM 1033 "aclitem" "aclitem" 12 1034,
    BPCHAR 1042 "bpchar" "character" -1 1014,
    VARCHAR 1043 "varchar" "character varying" -1 1015,
    DATE 1082 "date" "date" 4 1182,
    TIME 1083 "time" "time without time zone" 8 1183,
    TIMESTAMP 1114 "timestamp" "timestamp without time zone" 8 1115,
    TIMESTAMPTZ 1184 "timestamptz" "timestamp with time zone" 8 1185,
    INTERVAL 1186 "interval" "interval" 16 1187,
    TIMETZ 1266 "timetz" "time with time zone" 12 1270,
    BIT 1560 "bit" "bit" -1 1561,
    VARBIT 1562 "varbit" "bit varying" -1 1563,
    NUMERIC 1700 "numeric" "numeric" -1 1231,
    REFCURSOR 1790 "refcursor" "refcursor" -1 2201,
    REGPROCEDURE 2202 "regprocedure" "regprocedure" 4 2207,
    REGOPER 2203 "regoper" "regoper" 4 2208,
    REGOPERATOR 2204 "regoperator" "regoperator" 4 2209,
    REGCLASS 2205 "regclass" "regclass" 4 2210,
    REGTYPE 2206 "regtype" "regtype" 4 2211,
    RECORD 2249 "record" "record" -1 2287,
    CSTRING 2275 "cstring" "cstring" -2 1263,
    ANY 2276 "any" "\"any\"" 4 0,
    ANYARRAY 2277 "anyarray" "anyarray" -1 0,
    VOID 2278 "void" "void" 4 0,
    TRIGGER 2279 "trigger" "trigger" 4 0,
    UUID 2950 "uuid" "uuid" 16 2951,
    PG_LSN 3220 "pg_lsn" "pg_lsn" 8 3221,
    TSVECTOR 3614 "tsvector" "tsvector" -1 3643,
    REGCONFIG 3734 "regconfig" "regconfig" 4 3735,
    REGDICTIONARY 3769 "regdictionary" "regdictionary" 4 3770,
    JSONB 3802 "jsonb" "jsonb" -1 3807,
    REGNAMESPACE 4089 "regnamespace" "regnamespace" 4 4090,
    REGROLE 4096 "regrole" "regrole" 4 4097,
    REGCOLLATION 4191 "regcollation" "regcollation" 4 4192,
}

impl PgType {
    /// Types that are an OID with a name printed for it.
    pub fn is_reg(self) -> bool {
        matches!(
            self,
            PgType::REGPROC
                | PgType::REGPROCEDURE
                | PgType::REGOPER
                | PgType::REGOPERATOR
                | PgType::REGCLASS
                | PgType::REGTYPE
                | PgType::REGCONFIG
                | PgType::REGDICTIONARY
                | PgType::REGNAMESPACE
                | PgType::REGROLE
                | PgType::REGCOLLATION
        )
    }
}

impl fmt::Debug for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arrays_go_both_ways() {
        for ty in PgType::ALL {
            assert_eq!(PgType::by_name(&ty.name()), Some(*ty));
            if let Some(array) = ty.array() {
                assert_eq!(array.element(), Some(*ty));
                assert_eq!(PgType::by_name(&array.name()), Some(array));
            }
        }
        assert_eq!(PgType::by_name("timestamp with time zone"), Some(PgType::TIMESTAMPTZ));
        assert_eq!(PgType::by_name("int[]"), PgType::INT4.array());
    }
}
