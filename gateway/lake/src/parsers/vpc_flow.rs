//! AWS VPC flow log records: text with or without a header line, or JSON.

use std::borrow::Cow;

use super::{NOT_AN_OBJECT, Parsed, Parser, Reason, Surroundings, content_id, set_time};
use crate::json::{self, Value};
use crate::row::{Outcome, Row, Scalar, category, severity};
use crate::schema::common;
use crate::timestamp;

mod own {
    pub const BYTES: usize = 0;
    pub const PACKETS: usize = 1;
    pub const PROTOCOL: usize = 2;
    pub const INTERFACE_ID: usize = 3;
    pub const END_TIME: usize = 4;
    pub const LOG_STATUS: usize = 5;
    pub const VPC_ID: usize = 6;
    pub const SUBNET_ID: usize = 7;
    pub const INSTANCE_ID: usize = 8;
    pub const TCP_FLAGS: usize = 9;
    pub const FLOW_DIRECTION: usize = 10;
    pub const PKT_SRC_IP: usize = 11;
    pub const PKT_DST_IP: usize = 12;
}

/// AWS's fields in the order in which versions 2, 3, 4 and 5 added them.
const FIELDS: &[&str] = &[
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
    "flow-direction",
    "traffic-path",
];
/// How many of them each version has.
const COUNTS: &[usize] = &[14, 21, 25, 29];

#[derive(Default)]
pub struct VpcFlow {
    /// Field names of the header line, where there was one, underscores for hyphens.
    header: Option<Vec<String>>,
}

impl Parser for VpcFlow {
    fn parse<'a>(&mut self, text: &'a str, around: &Surroundings<'a>, row: &mut Row<'a>) -> Result<Parsed, Reason> {
        row.set(common::EVENT_ID, content_id(text));
        row.set(common::CATEGORY, category::NETWORK_ACTIVITY);
        row.set(common::SEVERITY, severity::UNKNOWN);
        row.set_outcome(Outcome::Unknown);
        let mut start = Value::Null;
        match Value::of(text) {
            event @ Value::Object(_) => {
                for (key, value) in event.members() {
                    set_field(row, &canonical(key), value.text().filter(|text| text != "-"), &mut start, value);
                }
            }
            _ if text.starts_with(['{', '[']) => return Err(NOT_AN_OBJECT),
            _ => {
                if is_header(text) {
                    self.header = Some(text.split_ascii_whitespace().map(|name| name.replace('-', "_")).collect());
                    return Ok(Parsed::Skipped);
                }
                start = self.parse_line(text, row)?;
            }
        }
        set_time(row, &[start], around)?;
        Ok(Parsed::Row)
    }

    fn context(&self) -> Option<String> {
        self.header.as_ref().map(|names| names.join(" ").replace('_', "-"))
    }
}

impl VpcFlow {
    fn parse_line<'a>(&self, text: &'a str, row: &mut Row<'a>) -> Result<Value<'a>, Reason> {
        let values: Vec<&str> = text.split_ascii_whitespace().collect();
        let known = match &self.header {
            Some(header) => header.len() == values.len(),
            None => COUNTS.contains(&values.len()) && values[0].parse::<u8>().is_ok(),
        };
        if !known {
            return Err("the number of fields is not that of a flow record");
        }
        let mut start = Value::Null;
        let mut raw = String::with_capacity(text.len() * 2);
        for (index, value) in values.iter().enumerate() {
            let name = match &self.header {
                Some(header) => Cow::Borrowed(header[index].as_str()),
                None => Cow::Owned(FIELDS[index].replace('-', "_")),
            };
            raw.push(if index == 0 { '{' } else { ',' });
            json::push_string(&mut raw, &name);
            raw.push(':');
            json::push_string(&mut raw, value);
            let present = (*value != "-").then_some(Cow::Borrowed(*value));
            set_field(row, &canonical(&name), present, &mut start, Value::String(value));
        }
        raw.push('}');
        row.raw = Cow::Owned(raw);
        Ok(start)
    }
}

fn is_header(text: &str) -> bool {
    let mut names = text.split_ascii_whitespace();
    names.next().is_some_and(|name| name.parse::<u64>().is_err())
        && text.split_ascii_whitespace().any(|name| FIELDS.contains(&name))
}

/// A field's name without separators and case: deliveries write `interface-id`, `interface_id` and `interfaceId`.
fn canonical(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn set_field<'a>(row: &mut Row<'a>, name: &str, text: Option<Cow<'a, str>>, start: &mut Value<'a>, value: Value<'a>) {
    let Some(text) = text.filter(|text| text != "null") else { return };
    match name {
        "accountid" => row.set(common::ACCOUNT_ID, Some(text)),
        "srcaddr" => row.set(common::SRC_IP, Some(text)),
        "dstaddr" => row.set(common::DST_IP, Some(text)),
        "srcport" => row.set(common::SRC_PORT, value.integer()),
        "dstport" => row.set(common::DST_PORT, value.integer()),
        "region" => row.set(common::REGION, Some(text)),
        "start" => *start = value,
        "action" => {
            row.set_outcome(match text.as_ref() {
                "ACCEPT" => Outcome::Success,
                "REJECT" => Outcome::Failure,
                _ => Outcome::Unknown,
            });
            row.set(common::ACTION, Some(text));
        }
        "bytes" => row.set_own(own::BYTES, value.integer()),
        "packets" => row.set_own(own::PACKETS, value.integer()),
        "protocol" => row.set_own(own::PROTOCOL, value.integer()),
        "interfaceid" => row.set_own(own::INTERFACE_ID, Some(text)),
        "end" => row.set_own(own::END_TIME, timestamp::parse(&text).map_or(Scalar::Null, Scalar::Time)),
        "logstatus" | "status" => row.set_own(own::LOG_STATUS, Some(text)),
        "vpcid" => row.set_own(own::VPC_ID, Some(text)),
        "subnetid" => row.set_own(own::SUBNET_ID, Some(text)),
        "instanceid" => row.set_own(own::INSTANCE_ID, Some(text)),
        "tcpflags" => row.set_own(own::TCP_FLAGS, value.integer()),
        "flowdirection" => row.set_own(own::FLOW_DIRECTION, Some(text)),
        "pktsrcaddr" => row.set_own(own::PKT_SRC_IP, Some(text)),
        "pktdstaddr" => row.set_own(own::PKT_DST_IP, Some(text)),
        _ => {}
    }
}
