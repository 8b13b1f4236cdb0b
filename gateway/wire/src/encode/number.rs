//! Numbers as Postgres prints them and as it packs them.

use bytes::{BufMut, BytesMut};

/// Digits of `numeric`'s base-10000 form.
const GROUP: usize = 4;
const NUMERIC_NEGATIVE: u16 = 0x4000;
const NUMERIC_NAN: u16 = 0xC000;
const NUMERIC_INFINITY: u16 = 0xD000;
const NUMERIC_MINUS_INFINITY: u16 = 0xF000;

pub(crate) fn put_int(value: impl itoa::Integer, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The two float types: they differ in where Postgres turns to the exponent form.
pub(crate) trait Float: ryu::Float + Copy + Into<f64> {
    /// Exponents from here on are printed with `e`.
    const EXPONENT_FROM: i32;
    /// Significant digits that the type always keeps (`DBL_DIG`, `FLT_DIG`).
    const DIGITS: i32;
}

impl Float for f32 {
    const EXPONENT_FROM: i32 = 6;
    const DIGITS: i32 = 6;
}

impl Float for f64 {
    const EXPONENT_FROM: i32 = 15;
    const DIGITS: i32 = 15;
}

/// Prints a float: the shortest digits that read back equal when `extra_float_digits` is positive (Postgres's default),
/// else `%.*g` with that many digits fewer than the type keeps.
pub(crate) fn put_float<F: Float>(value: F, extra_float_digits: i32, out: &mut BytesMut) {
    let wide: f64 = value.into();
    if wide.is_nan() {
        return out.put_slice(b"NaN");
    }
    if wide.is_infinite() {
        return out.put_slice(if wide > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
    if wide == 0.0 {
        return out.put_slice(if wide.is_sign_negative() { b"-0" } else { b"0" });
    }
    if extra_float_digits > 0 {
        let mut buffer = ryu::Buffer::new();
        let decimal = Decimal::read(buffer.format_finite(value).as_bytes());
        decimal.put(F::EXPONENT_FROM, out);
    } else {
        let precision = (F::DIGITS + extra_float_digits).max(1);
        let printed = format!("{wide:.*e}", precision as usize - 1);
        Decimal::read(printed.as_bytes()).put(precision, out);
    }
}

/// Significant digits and the power of ten of the first one.
struct Decimal {
    negative: bool,
    digits: [u8; 32],
    len: usize,
    exponent: i32,
}

impl Decimal {
    /// Reads the output of a float printer: digits, perhaps a point, perhaps an exponent.
    fn read(text: &[u8]) -> Self {
        let mut decimal = Decimal { negative: false, digits: [0; 32], len: 0, exponent: 0 };
        let mut point = None;
        let mut seen = 0;
        let mut leading = 0;
        let mut power = 0;
        for (index, byte) in text.iter().enumerate() {
            match byte {
                b'-' => decimal.negative = true,
                b'.' => point = Some(seen),
                b'e' => {
                    power = std::str::from_utf8(&text[index + 1..]).ok().and_then(|e| e.parse().ok()).unwrap_or(0);
                    break;
                }
                digit => {
                    seen += 1;
                    if decimal.len == 0 && *digit == b'0' {
                        leading += 1;
                    } else if decimal.len < decimal.digits.len() {
                        decimal.digits[decimal.len] = *digit;
                        decimal.len += 1;
                    }
                }
            }
        }
        decimal.exponent = point.unwrap_or(seen) - leading - 1 + power;
        while decimal.len > 1 && decimal.digits[decimal.len - 1] == b'0' {
            decimal.len -= 1;
        }
        decimal
    }

    /// Prints in C's `%g` manner: plain between 10^-5 and 10^`exponent_from`, with an exponent beyond.
    fn put(&self, exponent_from: i32, out: &mut BytesMut) {
        let digits = &self.digits[..self.len];
        if self.negative {
            out.put_u8(b'-');
        }
        if self.exponent < -4 || self.exponent >= exponent_from {
            return self.put_exponent(digits, out);
        }
        if self.exponent < 0 {
            out.put_slice(b"0.");
            out.put_bytes(b'0', (-self.exponent - 1) as usize);
            return out.put_slice(digits);
        }
        let whole = self.exponent as usize + 1;
        if digits.len() <= whole {
            out.put_slice(digits);
            out.put_bytes(b'0', whole - digits.len());
        } else {
            out.put_slice(&digits[..whole]);
            out.put_u8(b'.');
            out.put_slice(&digits[whole..]);
        }
    }

    fn put_exponent(&self, digits: &[u8], out: &mut BytesMut) {
        out.put_u8(digits[0]);
        if digits.len() > 1 {
            out.put_u8(b'.');
            out.put_slice(&digits[1..]);
        }
        out.put_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
        let exponent = self.exponent.unsigned_abs();
        if exponent < 10 {
            out.put_u8(b'0');
        }
        put_int(exponent, out);
    }
}

/// Prints an unscaled integer of a decimal with its point. A negative scale stands for zeros before the point.
pub(crate) fn put_decimal(unscaled: &str, scale: i8, out: &mut BytesMut) {
    let (negative, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => (true, digits.as_bytes()),
        None => (false, unscaled.as_bytes()),
    };
    if negative {
        out.put_u8(b'-');
    }
    if scale <= 0 {
        out.put_slice(digits);
        if digits != b"0" {
            out.put_bytes(b'0', usize::from(scale.unsigned_abs()));
        }
        return;
    }
    let scale = scale as usize;
    if digits.len() > scale {
        out.put_slice(&digits[..digits.len() - scale]);
        out.put_u8(b'.');
        out.put_slice(&digits[digits.len() - scale..]);
    } else {
        out.put_slice(b"0.");
        out.put_bytes(b'0', scale - digits.len());
        out.put_slice(digits);
    }
}

/// Packs a number in its printed form ("-12.50", "1e3", "NaN") as Postgres's binary numeric. False where it is none.
pub(crate) fn put_numeric_binary(text: &str, out: &mut BytesMut) -> bool {
    match text {
        "NaN" => put_numeric_special(NUMERIC_NAN, out),
        "Infinity" | "inf" => put_numeric_special(NUMERIC_INFINITY, out),
        "-Infinity" | "-inf" => put_numeric_special(NUMERIC_MINUS_INFINITY, out),
        _ => return put_numeric_finite(text, out),
    }
    true
}

fn put_numeric_special(sign: u16, out: &mut BytesMut) {
    out.put_u16(0);
    out.put_i16(0);
    out.put_u16(sign);
    out.put_u16(0);
}

fn put_numeric_finite(text: &str, out: &mut BytesMut) -> bool {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => match power.parse::<i32>() {
            // Postgres holds 131072 digits before the point and 16383 after it.
            Ok(power) if (-16_383..=131_072).contains(&power) => (mantissa, power),
            _ => return false,
        },
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return false;
    }
    let digits = || whole.bytes().chain(fraction.bytes());
    // Digits before the decimal point, once the power has moved it.
    let point = whole.len() as i64 + i64::from(power);
    let display_scale = (fraction.len() as i64 - i64::from(power)).max(0);
    let first = digits().position(|digit| digit != b'0');
    let Some(first) = first else {
        out.put_u16(0);
        out.put_i16(0);
        out.put_u16(0);
        out.put_u16(display_scale.min(0x3FFF) as u16);
        return true;
    };
    put_groups(digits(), first, point, negative, display_scale, out)
}

fn put_groups(
    digits: impl Iterator<Item = u8>,
    first: usize,
    point: i64,
    negative: bool,
    display_scale: i64,
    out: &mut BytesMut,
) -> bool {
    let group = GROUP as i64;
    // Power of ten of the first significant digit, and the base-10000 weight of the group it falls in.
    let leading_power = point - first as i64 - 1;
    let weight = leading_power.div_euclid(group);
    let Ok(weight_field) = i16::try_from(weight) else { return false };
    if display_scale > 0x3FFF {
        return false;
    }
    let header = out.len();
    out.put_u16(0);
    out.put_i16(weight_field);
    out.put_u16(if negative { NUMERIC_NEGATIVE } else { 0 });
    out.put_u16(display_scale as u16);
    let mut filled = (group - 1 - leading_power.rem_euclid(group)) as usize;
    let mut value = 0u16;
    let mut written = 0u16;
    let mut significant = 0u16;
    let mut end = out.len();
    let mut emit = |value: u16, out: &mut BytesMut| {
        out.put_u16(value);
        written += 1;
        if value != 0 {
            significant = written;
            end = out.len();
        }
    };
    for digit in digits.skip(first) {
        value = value * 10 + u16::from(digit - b'0');
        filled += 1;
        if filled == GROUP {
            emit(value, out);
            value = 0;
            filled = 0;
        }
    }
    if filled > 0 {
        emit(value * 10u16.pow((GROUP - filled) as u32), out);
    }
    out.truncate(end);
    out[header..header + 2].copy_from_slice(&significant.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float8(value: f64) -> String {
        let mut out = BytesMut::new();
        put_float(value, 1, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn float4(value: f32) -> String {
        let mut out = BytesMut::new();
        put_float(value, 1, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn numeric(text: &str) -> Vec<u16> {
        let mut out = BytesMut::new();
        assert!(put_numeric_binary(text, &mut out), "{text}");
        out.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn floats_print_as_postgres_prints_them() {
        // PostgreSQL 15: select 1e20::float8, ...
        for (value, expected) in [
            (1e20, "1e+20"),
            (1e15, "1e+15"),
            (1e14, "100000000000000"),
            (123456789012345.6, "123456789012345.6"),
            (1234567890123456.7, "1.2345678901234568e+15"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e300, "1e+300"),
            (-2.5, "-2.5"),
            (100.0, "100"),
            (-0.0, "-0"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float8(value), expected);
        }
        for (value, expected) in [
            (1e6, "1e+06"),
            (100000.0, "100000"),
            (123456.7, "123456.7"),
            (1.1, "1.1"),
            (3.4028235e38, "3.4028235e+38"),
        ] {
            assert_eq!(float4(value), expected);
        }
    }

    #[test]
    fn fewer_float_digits_round() {
        for (value, digits, expected) in
            [(0.1 + 0.2, 0, "0.3"), (1.0 / 3.0, -5, "0.3333333333"), (1e15, 0, "1e+15"), (123456.0, -12, "1.23e+05")]
        {
            let mut out = BytesMut::new();
            put_float::<f64>(value, digits, &mut out);
            assert_eq!(&out[..], expected.as_bytes());
        }
    }

    #[test]
    fn decimals_take_their_point() {
        for (unscaled, scale, expected) in [
            ("12345", 2, "123.45"),
            ("-5", 2, "-0.05"),
            ("0", 3, "0.000"),
            ("7", 0, "7"),
            ("7", -2, "700"),
            ("0", -2, "0"),
        ] {
            let mut out = BytesMut::new();
            put_decimal(unscaled, scale, &mut out);
            assert_eq!(&out[..], expected.as_bytes());
        }
    }

    #[test]
    fn numerics_pack_as_postgres_packs_them() {
        // PostgreSQL 15: select encode(numeric_send(n), 'hex')
        assert_eq!(numeric("0"), [0, 0, 0, 0]);
        assert_eq!(numeric("0.00"), [0, 0, 0, 2]);
        assert_eq!(numeric("1"), [1, 0, 0, 0, 1]);
        assert_eq!(numeric("-1.5"), [2, 0, 0x4000, 1, 1, 5000]);
        assert_eq!(numeric("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(numeric("12345.678"), [3, 1, 0, 3, 1, 2345, 6780]);
        assert_eq!(numeric("0.0001"), [1, 0xFFFF, 0, 4, 1]);
        assert_eq!(numeric("0.00001"), [1, 0xFFFE, 0, 5, 1000]);
        assert_eq!(numeric("1e3"), [1, 0, 0, 0, 1000]);
        assert_eq!(numeric("1.5e-1"), [1, 0xFFFF, 0, 2, 1500]);
        assert_eq!(numeric("NaN"), [0, 0, 0xC000, 0]);
        assert_eq!(numeric("-Infinity"), [0, 0, 0xF000, 0]);
        for text in ["", ".", "-", "abc", "1e", "1e999999"] {
            assert!(!put_numeric_binary(text, &mut BytesMut::new()), "{text}");
        }
    }
}
