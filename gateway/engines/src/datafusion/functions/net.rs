//! Addresses and networks, kept as text.

use std::borrow::Cow;
use std::net::IpAddr;

use arrow::datatypes::{DataType, Int32Type};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use mantissa_core::ErrorKind;

use super::args::{Texts, map_bool, map_text, map_values};
use super::cast::invalid;
use super::{Function, Param};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("pg_inet", TEXT, text, inet).pg_type("inet"),
    Function::new("inet_contains", TWO_TEXTS, boolean, contains),
    Function::new("inet_contains_strictly", TWO_TEXTS, boolean, contains_strictly),
    Function::new("cidr_contains", TWO_TEXTS, boolean, network_contains),
    Function::new("host", TEXT, text, host),
    Function::new("masklen", TEXT, |_| DataType::Int32, masklen),
    Function::new("family", TEXT, |_| DataType::Int32, family),
    Function::new("network", TEXT, text, network).pg_type("cidr"),
];

const TEXT: &[&[Param]] = &[&[Param::Text]];
const TWO_TEXTS: &[&[Param]] = &[&[Param::Text, Param::Text]];

fn text(_: &[DataType]) -> DataType {
    DataType::Utf8View
}

fn boolean(_: &[DataType]) -> DataType {
    DataType::Boolean
}

/// An address with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inet {
    address: IpAddr,
    prefix: u8,
}

impl Inet {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { address, prefix })
    }

    fn longest(self) -> u8 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// The address's bits, moved up so that both families begin at the top.
    fn bits(self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
            IpAddr::V6(address) => u128::from(address),
        }
    }

    fn mask(self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0)
    }

    /// Whether `self` lies within `network`.
    fn is_within(self, network: Inet) -> bool {
        self.address.is_ipv4() == network.address.is_ipv4()
            && self.prefix >= network.prefix
            && self.bits() & network.mask() == network.bits() & network.mask()
    }

    fn network(self) -> String {
        let bits = self.bits() & self.mask();
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::from(std::net::Ipv4Addr::from((bits >> 96) as u32)),
            IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::from(bits)),
        };
        format!("{address}/{}", self.prefix)
    }

    fn print(self) -> String {
        if self.prefix == self.longest() {
            self.address.to_string()
        } else {
            format!("{}/{}", self.address, self.prefix)
        }
    }
}

/// One argument as addresses, read once where it is constant.
enum Inets {
    One(Option<Inet>),
    Many(Texts),
}

impl Inets {
    fn new(value: &ColumnarValue) -> Result<Self> {
        let texts = Texts::new(value)?;
        match texts.constant() {
            Some(text) => Ok(Inets::One(text.map(read).transpose()?)),
            None => Ok(Inets::Many(texts)),
        }
    }

    fn get(&self, row: usize) -> Result<Option<Inet>> {
        match self {
            Inets::One(inet) => Ok(*inet),
            Inets::Many(texts) => texts.get(row).map(read).transpose(),
        }
    }
}

fn read(text: &str) -> Result<Inet> {
    Inet::parse(text).ok_or_else(|| invalid(ErrorKind::InvalidTextRepresentation, "inet", text))
}

fn inet(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let inets = Inets::new(&args.args[0])?;
    map_text(args, |row| Ok(inets.get(row)?.map(|inet| Cow::Owned(inet.print()))))
}

fn contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    compare(args, |inet, network| inet.is_within(network))
}

fn contains_strictly(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    compare(args, |inet, network| inet.is_within(network) && inet.prefix > network.prefix)
}

fn compare(args: &ScalarFunctionArgs, holds: fn(Inet, Inet) -> bool) -> Result<ColumnarValue> {
    let (left, right) = (Inets::new(&args.args[0])?, Inets::new(&args.args[1])?);
    map_bool(args, |row| Ok(left.get(row)?.zip(right.get(row)?).map(|(left, right)| holds(left, right))))
}

/// `cidr_contains(network, address)`, for log columns that are no address in every row: those are in no network.
fn network_contains(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let networks = Inets::new(&args.args[0])?;
    let addresses = Texts::new(&args.args[1])?;
    map_bool(args, |row| {
        let (Some(network), Some(address)) = (networks.get(row)?, addresses.get(row)) else { return Ok(None) };
        Ok(Some(Inet::parse(address).is_some_and(|address| address.is_within(network))))
    })
}

fn host(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let inets = Inets::new(&args.args[0])?;
    map_text(args, |row| Ok(inets.get(row)?.map(|inet| Cow::Owned(inet.address.to_string()))))
}

fn masklen(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let inets = Inets::new(&args.args[0])?;
    map_values::<Int32Type>(args, |row| Ok(inets.get(row)?.map(|inet| i32::from(inet.prefix))))
}

fn family(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let inets = Inets::new(&args.args[0])?;
    map_values::<Int32Type>(args, |row| Ok(inets.get(row)?.map(|inet| if inet.address.is_ipv4() { 4 } else { 6 })))
}

fn network(args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let inets = Inets::new(&args.args[0])?;
    map_text(args, |row| Ok(inets.get(row)?.map(|inet| Cow::Owned(inet.network()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_networks() {
        let within = |inet: &str, network: &str| read(inet).unwrap().is_within(read(network).unwrap());
        assert!(within("10.1.2.3", "10.0.0.0/8"));
        assert!(within("10.1.0.0/16", "10.0.0.0/8"));
        assert!(!within("10.0.0.0/8", "10.1.0.0/16"));
        assert!(!within("11.0.0.1", "10.0.0.0/8"));
        assert!(within("2001:db8::1", "2001:db8::/32"));
        assert!(!within("10.0.0.1", "::/0"));
        assert!(within("1.2.3.4", "0.0.0.0/0"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "ec2.amazonaws.com", "1.2.3", "1.2.3.4/33", "1.2.3.4/x"] {
            assert_eq!(Inet::parse(text), None, "{text}");
        }
        assert_eq!(read("192.168.5.77/24").unwrap().network(), "192.168.5.0/24");
    }
}
