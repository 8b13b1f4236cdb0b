//! Where an address is.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use maxminddb::Reader;
use serde::Deserialize;

use crate::error::{LakeError, Result};
use crate::row::{Row, Scalar};
use crate::schema::common;

/// What is known of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub city: Option<String>,
    pub asn: Option<i64>,
    pub as_org: Option<String>,
}

/// A network and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeoRange {
    /// `203.0.113.0/24`
    pub cidr: String,
    pub place: Place,
}

/// Where places come from.
#[derive(Clone, Default)]
pub enum GeoSource {
    #[default]
    None,
    /// MMDB files: one with countries and cities, one with autonomous systems, or one with all.
    Mmdb(Arc<[Reader<Vec<u8>>]>),
    /// A short list, longest prefix first.
    Ranges(Arc<[(Network, Place)]>),
}

/// First bits of an address, IPv4 as IPv6-mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u32,
}

impl Network {
    fn parse(cidr: &str) -> Option<Network> {
        let (address, length) = cidr.split_once('/').unwrap_or((cidr, ""));
        let address: IpAddr = address.parse().ok()?;
        let (width, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length: u32 = if length.is_empty() { width } else { length.parse().ok()? };
        (length <= width).then(|| Network { bits: bits(address), prefix: length + offset })
    }

    fn contains(self, address: u128) -> bool {
        self.prefix == 0 || (self.bits ^ address).leading_zeros() >= self.prefix
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<Country<'a>>,
    city: Option<City<'a>>,
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<&'a str>,
}

#[derive(Deserialize)]
struct Country<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct City<'a> {
    #[serde(borrow)]
    names: Option<Names<'a>>,
}

#[derive(Deserialize)]
struct Names<'a> {
    en: Option<&'a str>,
}

impl GeoSource {
    pub fn open_mmdb<P: AsRef<Path>>(paths: &[P]) -> Result<GeoSource> {
        let open = |path: &P| {
            let path = path.as_ref();
            Reader::open_readfile(path).map_err(|source| LakeError::GeoDatabase { path: path.to_owned(), source })
        };
        Ok(GeoSource::Mmdb(paths.iter().map(open).collect::<Result<Vec<_>>>()?.into()))
    }

    pub fn from_ranges(ranges: Vec<GeoRange>) -> Result<GeoSource> {
        let mut networks = ranges
            .into_iter()
            .map(|range| {
                let network = Network::parse(&range.cidr).ok_or(LakeError::GeoRange(range.cidr))?;
                Ok((network, range.place))
            })
            .collect::<Result<Vec<_>>>()?;
        networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix));
        Ok(GeoSource::Ranges(networks.into()))
    }

    pub fn place_of(&self, address: &str) -> Option<Place> {
        if matches!(self, GeoSource::None) {
            return None;
        }
        let address: IpAddr = address.parse().ok()?;
        match self {
            GeoSource::None => None,
            GeoSource::Mmdb(readers) => {
                let mut place = Place::default();
                readers.iter().for_each(|reader| add_record(&mut place, reader, address));
                (place != Place::default()).then_some(place)
            }
            GeoSource::Ranges(networks) => {
                let address = bits(address);
                networks.iter().find(|(network, _)| network.contains(address)).map(|(_, place)| place.clone())
            }
        }
    }
}

fn add_record(place: &mut Place, reader: &Reader<Vec<u8>>, address: IpAddr) {
    let Ok(found) = reader.lookup(address) else { return };
    let Ok(Some(record)) = found.decode::<Record<'_>>() else { return };
    let owned = |text: &str| text.to_owned();
    let country = record.country.and_then(|country| country.iso_code).map(owned);
    let city = record.city.and_then(|city| city.names).and_then(|names| names.en).map(owned);
    place.country = place.country.take().or(country);
    place.city = place.city.take().or(city);
    place.asn = place.asn.or(record.autonomous_system_number.map(i64::from));
    place.as_org = place.as_org.take().or(record.autonomous_system_organization.map(owned));
}

/// Fills a row's geo columns. What the vendor said stays.
pub fn fill(row: &mut Row<'_>, places: &mut PlaceCache) {
    let source = row.text(common::SRC_IP).and_then(|address| places.get(address));
    if let Some(place) = source {
        let text = |text: Option<String>| text.map_or(Scalar::Null, Scalar::from);
        let fields = [
            (common::SRC_COUNTRY, text(place.country)),
            (common::SRC_CITY, text(place.city)),
            (common::SRC_ASN, Scalar::from(place.asn)),
            (common::SRC_AS_ORG, text(place.as_org)),
        ];
        for (position, value) in fields {
            if row.is_null(position) {
                row.common[position] = value;
            }
        }
    }
    let target = row.text(common::DST_IP).and_then(|address| places.get(address)).and_then(|place| place.country);
    if let Some(country) = target.filter(|_| row.is_null(common::DST_COUNTRY)) {
        row.set(common::DST_COUNTRY, country);
    }
}

/// Remembers the places of the addresses seen lately.
pub struct PlaceCache {
    source: GeoSource,
    known: std::collections::HashMap<String, Option<Place>>,
}

impl PlaceCache {
    const MOST: usize = 100_000;

    pub fn new(source: GeoSource) -> Self {
        Self { source, known: Default::default() }
    }

    fn get(&mut self, address: &str) -> Option<Place> {
        if matches!(self.source, GeoSource::None) {
            return None;
        }
        if let Some(place) = self.known.get(address) {
            return place.clone();
        }
        if self.known.len() >= Self::MOST {
            self.known.clear();
        }
        let place = self.source.place_of(address);
        self.known.insert(address.to_owned(), place.clone());
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(cidr: &str, country: &str) -> GeoRange {
        GeoRange { cidr: cidr.into(), place: Place { country: Some(country.into()), ..Place::default() } }
    }

    #[test]
    fn the_longest_prefix_decides() {
        let ranges = vec![range("203.0.113.0/24", "NL"), range("203.0.113.7", "DE"), range("2001:db8::/32", "FR")];
        let geo = GeoSource::from_ranges(ranges).unwrap();
        let country = |address| geo.place_of(address).and_then(|place| place.country);
        assert_eq!(country("203.0.113.8").as_deref(), Some("NL"));
        assert_eq!(country("203.0.113.7").as_deref(), Some("DE"));
        assert_eq!(country("2001:db8::5").as_deref(), Some("FR"));
        assert_eq!(country("198.51.100.1"), None);
        assert_eq!(country("s3.amazonaws.com"), None);
        assert!(GeoSource::from_ranges(vec![range("300.0.0.0/8", "XX")]).is_err());
    }

    #[test]
    fn what_the_vendor_said_stays() {
        let geo = GeoSource::from_ranges(vec![range("203.0.113.0/24", "NL")]).unwrap();
        let mut row = Row::new(0);
        row.set(common::SRC_IP, "203.0.113.1");
        row.set(common::DST_IP, "203.0.113.2");
        row.set(common::SRC_COUNTRY, "US");
        fill(&mut row, &mut PlaceCache::new(geo));
        assert_eq!(row.text(common::SRC_COUNTRY), Some("US"));
        assert_eq!(row.text(common::DST_COUNTRY), Some("NL"));
    }
}
