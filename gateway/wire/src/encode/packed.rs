//! Binary forms of types that the engines carry in their printed form.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use mantissa_core::PgType;

use super::EncodeError;
use super::number::put_numeric_binary;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// `PGSQL_AF_INET` and `PGSQL_AF_INET6` of Postgres's inet format.
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// Packs one printed value.
pub(super) type Pack = fn(&[u8], &mut BytesMut) -> Result<(), EncodeError>;

/// How to pack `ty` from its printed form; `None` where Postgres has a binary form that the text does not determine.
pub(super) fn from_printed(ty: PgType) -> Option<Pack> {
    Some(match ty {
        PgType::JSONB => jsonb,
        PgType::NUMERIC => numeric,
        PgType::UUID => uuid,
        PgType::INET => inet,
        PgType::CIDR => cidr,
        PgType::MACADDR => macaddr,
        PgType::TID => tid,
        PgType::PG_LSN => pg_lsn,
        PgType::INT2VECTOR => int2vector,
        PgType::OIDVECTOR => oidvector,
        PgType::BIT | PgType::VARBIT => bits,
        PgType::OID | PgType::XID | PgType::CID => oid,
        ty if ty.is_reg() => oid_of_reg,
        PgType::TEXT
        | PgType::VARCHAR
        | PgType::BPCHAR
        | PgType::NAME
        | PgType::CHAR
        | PgType::JSON
        | PgType::XML
        | PgType::UNKNOWN
        | PgType::CSTRING
        | PgType::REFCURSOR
        | PgType::PG_NODE_TREE
        | PgType::VOID => verbatim,
        // Types this crate has no table entry for: drivers read their bytes as text.
        ty if ty.name() == "unknown" => verbatim,
        _ => return None,
    })
}

fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or_default()
}

fn verbatim(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    out.put_slice(value);
    Ok(())
}

fn jsonb(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    // The version of the format.
    out.put_u8(1);
    out.put_slice(value);
    Ok(())
}

fn numeric(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    if put_numeric_binary(text(value), out) { Ok(()) } else { Err(EncodeError::Malformed(PgType::NUMERIC)) }
}

fn oid(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    out.put_u32(text(value).parse().map_err(|_| EncodeError::Malformed(PgType::OID))?);
    Ok(())
}

/// A printed name does not give its OID back; "-" is 0 and an object without a name is printed as its number.
fn oid_of_reg(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    let number =
        if value == b"-" { 0 } else { text(value).parse().map_err(|_| EncodeError::NoBinaryForm(PgType::REGCLASS))? };
    out.put_u32(number);
    Ok(())
}

fn uuid(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    let bytes = parse_uuid(text(value)).ok_or(EncodeError::Malformed(PgType::UUID))?;
    out.put_slice(&bytes);
    Ok(())
}

fn inet(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    network(value, false, out).ok_or(EncodeError::Malformed(PgType::INET))
}

fn cidr(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    network(value, true, out).ok_or(EncodeError::Malformed(PgType::CIDR))
}

fn network(value: &[u8], is_cidr: bool, out: &mut BytesMut) -> Option<()> {
    let (address, bits) = match text(value).split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text(value), None),
    };
    let (family, octets, width) = match address.parse().ok()? {
        IpAddr::V4(v4) => (FAMILY_V4, v4.octets().to_vec(), 32),
        IpAddr::V6(v6) => (FAMILY_V6, v6.octets().to_vec(), 128),
    };
    out.put_slice(&[family, bits.unwrap_or(width), u8::from(is_cidr), octets.len() as u8]);
    out.put_slice(&octets);
    Some(())
}

fn macaddr(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    let bytes: Option<Vec<u8>> = text(value).split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    match bytes {
        Some(bytes) if bytes.len() == 6 => out.put_slice(&bytes),
        _ => return Err(EncodeError::Malformed(PgType::MACADDR)),
    }
    Ok(())
}

fn tid(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    let inside = text(value).strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let parts = inside.and_then(|inside| inside.split_once(','));
    let numbers = parts.and_then(|(block, offset)| Some((block.parse().ok()?, offset.parse().ok()?)));
    let (block, offset) = numbers.ok_or(EncodeError::Malformed(PgType::TID))?;
    out.put_u32(block);
    out.put_u16(offset);
    Ok(())
}

fn pg_lsn(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    let halves = text(value)
        .split_once('/')
        .and_then(|(high, low)| Some((u32::from_str_radix(high, 16).ok()?, u32::from_str_radix(low, 16).ok()?)));
    let (high, low) = halves.ok_or(EncodeError::Malformed(PgType::PG_LSN))?;
    out.put_u32(high);
    out.put_u32(low);
    Ok(())
}

fn bits(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    out.put_i32(i32::try_from(value.len()).map_err(|_| EncodeError::TooLong)?);
    for chunk in value.chunks(8) {
        let mut byte = 0u8;
        for (index, digit) in chunk.iter().enumerate() {
            byte |= match digit {
                b'0' => 0,
                b'1' => 0x80 >> index,
                _ => return Err(EncodeError::Malformed(PgType::BIT)),
            };
        }
        out.put_u8(byte);
    }
    Ok(())
}

fn int2vector(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    vector(value, PgType::INT2, |number: i16, out| out.put_i16(number), 2, out)
}

fn oidvector(value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    vector(value, PgType::OID, |number: u32, out| out.put_u32(number), 4, out)
}

/// The two vector types are arrays of one dimension that starts at 0.
fn vector<N: std::str::FromStr>(
    value: &[u8],
    element: PgType,
    put: impl Fn(N, &mut BytesMut),
    width: i32,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let numbers: Result<Vec<N>, _> = text(value).split_ascii_whitespace().map(str::parse).collect();
    let numbers = numbers.map_err(|_| EncodeError::Malformed(element))?;
    out.put_i32(1);
    out.put_i32(0);
    out.put_u32(element.0);
    out.put_i32(numbers.len() as i32);
    out.put_i32(0);
    for number in numbers {
        out.put_i32(width);
        put(number, out);
    }
    Ok(())
}

pub(super) fn put_hex(value: &[u8], out: &mut BytesMut) {
    out.reserve(value.len() * 2);
    for byte in value {
        out.put_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Prints 16 bytes in the 8-4-4-4-12 form.
pub(super) fn put_uuid(value: &[u8], out: &mut BytesMut) {
    for (index, byte) in value.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.put_u8(b'-');
        }
        out.put_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Reads a uuid as Postgres does: hex digits with hyphens anywhere between groups of four, braces around it allowed.
pub(crate) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let mut bytes = [0u8; 16];
    let mut digits = 0;
    for char in bare.chars() {
        if char == '-' {
            if digits == 0 || digits % 4 != 0 || digits == 32 {
                return None;
            }
            continue;
        }
        let value = char.to_digit(16)? as u8;
        *bytes.get_mut(digits / 2)? |= if digits % 2 == 0 { value << 4 } else { value };
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_values_pack_as_postgres_packs_them() {
        // PostgreSQL 15: select encode(inet_send(...), 'hex'), ...
        for (ty, printed, expected) in [
            (PgType::INET, "10.0.0.1/8", "020800040a000001"),
            (PgType::INET, "10.0.0.1", "022000040a000001"),
            (PgType::CIDR, "10.0.0.0/8", "020801040a000000"),
            (PgType::INET, "::1", "0380001000000000000000000000000000000001"),
            (PgType::JSONB, "{\"a\": 1}", "017b2261223a20317d"),
            (PgType::UUID, "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899aabbccddeeff"),
            (PgType::MACADDR, "08:00:2b:01:02:03", "08002b010203"),
            (PgType::TID, "(1,2)", "000000010002"),
            (PgType::VARBIT, "10101", "00000005a8"),
            (
                PgType::INT2VECTOR,
                "1 2 3",
                "0000000100000000000000150000000300000000000000020001000000020002000000020003",
            ),
            (PgType::REGCLASS, "-", "00000000"),
            (PgType::TEXT, "é", "c3a9"),
        ] {
            let mut out = BytesMut::new();
            from_printed(ty).unwrap()(printed.as_bytes(), &mut out).unwrap();
            let mut hex = BytesMut::new();
            put_hex(&out, &mut hex);
            assert_eq!(&hex[..], expected.as_bytes(), "{ty:?} {printed}");
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_an_error() {
        for (ty, printed) in [
            (PgType::INET, "10.0.0"),
            (PgType::UUID, "0011"),
            (PgType::MACADDR, "08:00"),
            (PgType::TID, "1,2"),
            (PgType::NUMERIC, "x"),
            (PgType::REGCLASS, "pg_class"),
            (PgType::BIT, "12"),
        ] {
            assert!(from_printed(ty).unwrap()(printed.as_bytes(), &mut BytesMut::new()).is_err(), "{ty:?}");
        }
    }

    #[test]
    fn uuids_are_read_as_postgres_reads_them() {
        let expected = parse_uuid("00112233-4455-6677-8899-aabbccddeeff");
        assert!(expected.is_some());
        assert_eq!(parse_uuid("{00112233445566778899AABBCCDDEEFF}"), expected);
        assert_eq!(parse_uuid("0011-2233-4455-6677-8899-aabb-ccdd-eeff"), expected);
        for bad in ["", "0", "001-12233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff0"] {
            assert_eq!(parse_uuid(bad), None, "{bad}");
        }
    }
}
