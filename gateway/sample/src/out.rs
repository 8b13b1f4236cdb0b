use chrono::{DateTime, Datelike};

use crate::rng::Rng;

pub const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROS;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The bytes of one file. All times are microseconds since 1970 UTC.
#[derive(Debug, Default)]
pub struct Out {
    pub bytes: Vec<u8>,
    /// The date of the last time written: events come in order, so it rarely changes.
    day: i64,
    date: String,
    syslog_date: String,
}

impl Out {
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), day: i64::MIN, ..Self::default() }
    }

    pub fn s(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    pub fn n(&mut self, mut value: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
        self
    }

    fn padded(&mut self, value: i64, width: usize) -> &mut Self {
        let mut digits = [b'0'; 6];
        let mut rest = value;
        for digit in digits[..width].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.bytes.extend_from_slice(&digits[..width]);
        self
    }

    pub fn hex(&mut self, value: u64, width: u32) -> &mut Self {
        for position in (0..width).rev() {
            self.bytes.push(HEX[(value >> (4 * (position % 16)) & 15) as usize]);
        }
        self
    }

    /// Upper-case letters and digits, as AWS's ids are.
    pub fn base32(&mut self, mut value: u64, width: u32) -> &mut Self {
        for _ in 0..width {
            self.bytes.push(BASE32[(value & 31) as usize]);
            value = value.rotate_right(5);
        }
        self
    }

    pub fn uuid(&mut self, rng: &mut Rng) -> &mut Self {
        let (high, low) = (rng.bits(), rng.bits());
        self.hex(high >> 32, 8).s("-").hex(high >> 16, 4).s("-4").hex(high, 3).s("-");
        self.hex(8 | (low >> 62), 1).hex(low >> 48, 3).s("-").hex(low, 12)
    }

    pub fn ip(&mut self, ip: u32) -> &mut Self {
        let [a, b, c, d] = ip.to_be_bytes().map(u64::from);
        self.n(a).s(".").n(b).s(".").n(c).s(".").n(d)
    }

    fn date(&mut self, micros: i64) {
        let day = micros.div_euclid(DAY);
        if day == self.day {
            return;
        }
        let date = DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH);
        self.day = day;
        self.date = date.format("%Y-%m-%dT").to_string();
        self.syslog_date = format!("{} {:>2} ", MONTHS[date.month0() as usize], date.day());
    }

    fn clock(&mut self, micros: i64) -> &mut Self {
        let second = micros.rem_euclid(DAY) / MICROS;
        self.padded(second / 3600, 2).s(":").padded(second / 60 % 60, 2).s(":").padded(second % 60, 2)
    }

    fn iso(&mut self, micros: i64) -> &mut Self {
        self.date(micros);
        self.bytes.extend_from_slice(self.date.as_bytes());
        self.clock(micros)
    }

    /// `2026-11-18T15:42:00Z`
    pub fn seconds(&mut self, micros: i64) -> &mut Self {
        self.iso(micros).s("Z")
    }

    /// `2026-11-18T15:42:00.123Z`
    pub fn millis(&mut self, micros: i64) -> &mut Self {
        self.iso(micros).s(".").padded(micros.rem_euclid(MICROS) / 1000, 3).s("Z")
    }

    /// `2026-11-18T15:42:00.123456Z`
    pub fn micros(&mut self, micros: i64) -> &mut Self {
        self.iso(micros).s(".").padded(micros.rem_euclid(MICROS), 6).s("Z")
    }

    /// `Nov  8 15:42:00`
    pub fn syslog(&mut self, micros: i64) -> &mut Self {
        self.date(micros);
        self.bytes.extend_from_slice(self.syslog_date.as_bytes());
        self.clock(micros)
    }

    /// Writes `template` with `value` called for each `$x`.
    pub fn fill(&mut self, template: &str, mut value: impl FnMut(&mut Self, u8)) -> &mut Self {
        let mut parts = template.split('$');
        self.s(parts.next().unwrap_or_default());
        for part in parts {
            if let Some(code) = part.bytes().next() {
                value(self, code);
                self.s(&part[1..]);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Out)) -> String {
        let mut out = Out::with_capacity(64);
        write(&mut out);
        String::from_utf8(out.bytes).unwrap()
    }

    #[test]
    fn times_are_written_as_each_vendor_writes_them() {
        let at = 1_794_066_125_045_067;
        assert_eq!(text(|out| _ = out.seconds(at)), "2026-11-07T15:42:05Z");
        assert_eq!(text(|out| _ = out.millis(at)), "2026-11-07T15:42:05.045Z");
        assert_eq!(text(|out| _ = out.micros(at)), "2026-11-07T15:42:05.045067Z");
        assert_eq!(text(|out| _ = out.syslog(at)), "Nov  7 15:42:05");
        let two_days = text(|out| _ = out.seconds(at).s(" ").seconds(at + DAY));
        assert_eq!(two_days, "2026-11-07T15:42:05Z 2026-11-08T15:42:05Z");
    }

    #[test]
    fn numbers_and_templates() {
        assert_eq!(text(|out| _ = out.n(0).s(" ").n(u64::MAX)), "0 18446744073709551615");
        assert_eq!(text(|out| _ = out.hex(0xabc, 5).s(" ").ip(0x0a01_02ff)), "00abc 10.1.2.255");
        let filled = text(|out| {
            out.fill("a $x, $y$x.", |out, code| {
                out.n(u64::from(code - b'x'));
            });
        });
        assert_eq!(filled, "a 0, 10.");
    }
}
