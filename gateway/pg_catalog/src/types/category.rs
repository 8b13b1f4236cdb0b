//! Type categories and implicit casts, as `pg_type.typcategory` and `pg_cast.castcontext` have them.

use mantissa_core::PgType;

/// When a cast may happen by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    Implicit,
    Explicit,
}

/// `typcategory`.
pub fn category(ty: PgType) -> char {
    if element(ty).is_some() {
        return 'A';
    }
    match ty {
        PgType::BOOL => 'B',
        PgType::INT2 | PgType::INT4 | PgType::INT8 | PgType::OID | PgType::FLOAT4 | PgType::FLOAT8 => 'N',
        PgType::NUMERIC | PgType::MONEY => 'N',
        _ if ty.is_reg() => 'N',
        PgType::TEXT | PgType::NAME | PgType::VARCHAR | PgType::BPCHAR => 'S',
        PgType::DATE | PgType::TIME | PgType::TIMETZ | PgType::TIMESTAMP | PgType::TIMESTAMPTZ => 'D',
        PgType::INTERVAL => 'T',
        PgType::INET | PgType::CIDR => 'I',
        PgType::CHAR | PgType::PG_NODE_TREE => 'Z',
        PgType::BIT | PgType::VARBIT => 'V',
        PgType::UNKNOWN => 'X',
        PgType::RECORD | PgType::ANY | PgType::VOID | PgType::CSTRING => 'P',
        _ => 'U',
    }
}

/// `typispreferred`.
pub fn is_preferred(ty: PgType) -> bool {
    matches!(
        ty,
        PgType::BOOL
            | PgType::FLOAT8
            | PgType::OID
            | PgType::TEXT
            | PgType::TIMESTAMPTZ
            | PgType::INTERVAL
            | PgType::INET
            | PgType::VARBIT
    )
}

/// The element type of an array type, of `int2vector` and of `oidvector`.
pub fn element(ty: PgType) -> Option<PgType> {
    match ty {
        PgType::INT2VECTOR => Some(PgType::INT2),
        PgType::OIDVECTOR => Some(PgType::OID),
        PgType::ANYARRAY => None,
        other => other.element(),
    }
}

/// Text of any kind that compares as text.
pub fn is_string(ty: PgType) -> bool {
    matches!(ty, PgType::TEXT | PgType::NAME | PgType::VARCHAR | PgType::BPCHAR | PgType::UNKNOWN | PgType::CSTRING)
}

pub fn is_integer(ty: PgType) -> bool {
    matches!(ty, PgType::INT2 | PgType::INT4 | PgType::INT8)
}

pub fn is_number(ty: PgType) -> bool {
    is_integer(ty) || matches!(ty, PgType::NUMERIC | PgType::FLOAT4 | PgType::FLOAT8)
}

/// `oid` and the types that are one.
pub fn is_oid(ty: PgType) -> bool {
    ty == PgType::OID || ty.is_reg()
}

/// Whether a value of `from` becomes `to` by itself in `context`.
pub fn can_coerce(from: PgType, to: PgType, context: Context) -> bool {
    if from == to || from == PgType::UNKNOWN || to == PgType::ANY {
        return true;
    }
    let implicit = implicit(from, to);
    if implicit || context == Context::Implicit {
        return implicit;
    }
    explicit(from, to)
}

fn implicit(from: PgType, to: PgType) -> bool {
    let rank = |ty| match ty {
        PgType::INT2 => Some(1),
        PgType::INT4 => Some(2),
        PgType::INT8 => Some(3),
        PgType::NUMERIC => Some(4),
        PgType::FLOAT4 => Some(5),
        PgType::FLOAT8 => Some(6),
        _ => None,
    };
    if let (Some(a), Some(b)) = (rank(from), rank(to)) {
        return a < b;
    }
    if let (Some(a), Some(b)) = (element(from), element(to)) {
        return a == b || implicit(a, b);
    }
    match to {
        PgType::OID => is_integer(from) || from.is_reg(),
        _ if to.is_reg() => {
            is_integer(from)
                || from == PgType::OID
                || (to == PgType::REGCLASS && matches!(from, PgType::TEXT | PgType::VARCHAR))
                || matches!(
                    (from, to),
                    (PgType::REGPROC, PgType::REGPROCEDURE) | (PgType::REGPROCEDURE, PgType::REGPROC)
                )
                || matches!((from, to), (PgType::REGOPER, PgType::REGOPERATOR) | (PgType::REGOPERATOR, PgType::REGOPER))
        }
        PgType::TEXT => matches!(
            from,
            PgType::NAME | PgType::VARCHAR | PgType::BPCHAR | PgType::CHAR | PgType::PG_NODE_TREE | PgType::CSTRING
        ),
        PgType::VARCHAR => matches!(from, PgType::TEXT | PgType::BPCHAR),
        PgType::BPCHAR => matches!(from, PgType::TEXT | PgType::VARCHAR),
        PgType::NAME => matches!(from, PgType::TEXT | PgType::VARCHAR | PgType::BPCHAR),
        PgType::TIMESTAMP => from == PgType::DATE,
        PgType::TIMESTAMPTZ => matches!(from, PgType::DATE | PgType::TIMESTAMP),
        PgType::INTERVAL => from == PgType::TIME,
        PgType::TIMETZ => from == PgType::TIME,
        PgType::INET => from == PgType::CIDR,
        PgType::RECORD => false,
        _ => false,
    }
}

fn explicit(from: PgType, to: PgType) -> bool {
    if let (Some(a), Some(b)) = (element(from), element(to)) {
        return can_coerce(a, b, Context::Explicit);
    }
    // Every type goes through its text form to and from the string types.
    if is_string(to) || is_string(from) || from == PgType::RECORD {
        return true;
    }
    let is_numeric = |ty| is_number(ty);
    match (from, to) {
        _ if is_numeric(from) && is_numeric(to) => true,
        _ if is_oid(from) && (is_oid(to) || matches!(to, PgType::INT4 | PgType::INT8)) => true,
        (PgType::BOOL, PgType::INT4) | (PgType::INT4, PgType::BOOL) => true,
        (PgType::CHAR, PgType::INT4) | (PgType::INT4, PgType::CHAR) => true,
        (PgType::TIMESTAMP | PgType::TIMESTAMPTZ, PgType::DATE | PgType::TIME | PgType::TIMESTAMP) => true,
        (PgType::TIMESTAMPTZ, PgType::TIMETZ) | (PgType::TIMETZ, PgType::TIME) => true,
        (PgType::INTERVAL, PgType::TIME) => true,
        (PgType::JSON, PgType::JSONB) | (PgType::JSONB, PgType::JSON) => true,
        (PgType::JSONB, PgType::BOOL) => true,
        (PgType::JSONB, _) => is_numeric(to),
        (PgType::INET, PgType::CIDR) => true,
        (PgType::XID, PgType::INT8) => true,
        // Types of the catalog that this table does not name (enums, domains): through text.
        _ => PgType::ALL.iter().all(|known| *known != from) || PgType::ALL.iter().all(|known| *known != to),
    }
}
