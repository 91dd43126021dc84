use super::*;
use crate::xml::encode_element;

fn device(id: u32) -> DeviceId {
    DeviceId::new(id).unwrap()
}

#[test]
fn nodes_name_their_device() {
    assert_eq!(
        bundle_node(device(31)),
        "eu.siacs.conversations.axolotl.bundles:31"
    );
    assert_eq!(
        device_of_bundle_node("eu.siacs.conversations.axolotl.bundles:31"),
        Some(device(31))
    );
    for bad in [
        "eu.siacs.conversations.axolotl.bundles:0",
        "eu.siacs.conversations.axolotl.bundles:",
        "x:31",
    ] {
        assert_eq!(device_of_bundle_node(bad), None);
    }
}

#[test]
fn a_list_survives_a_round_trip_and_rubbish_is_counted() {
    let list = DeviceList {
        devices: vec![device(1201), device(77)],
    };
    let text = encode_element(&list.to_element()).unwrap();
    assert_eq!(
        text,
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='1201'/><device id='77'/></list>"
    );
    let text = text.replace(
        "</list>",
        "<device id='77'/><device id='0'/><device/><x/></list>",
    );
    let parsed = DeviceList::parse(&text.parse().unwrap()).unwrap();
    assert_eq!(
        parsed,
        Parsed {
            value: list,
            rubbish_count: 4
        }
    );
    assert_eq!(DeviceList::parse(&Element::bare("devices", NS)), None);
}

fn bundle() -> Bundle {
    Bundle {
        signed_pre_key_id: 0,
        signed_pre_key: vec![5; 33],
        signed_pre_key_signature: vec![2; 64],
        identity_key: vec![5; 33],
        pre_keys: vec![(1, vec![5; 33]), (2, vec![5; 33])],
    }
}

#[test]
fn a_bundle_survives_a_round_trip() {
    let text = encode_element(&bundle().to_element()).unwrap();
    assert!(
        text.contains("<signedPreKeyPublic signedPreKeyId='0'>"),
        "{text}"
    );
    assert!(text.contains("<preKeyPublic preKeyId='2'>"), "{text}");
    assert_eq!(
        Bundle::parse(&text.parse().unwrap()).unwrap(),
        Parsed {
            value: bundle(),
            rubbish_count: 0
        }
    );
    let noisy = text.replace("</prekeys>", "<preKeyPublic preKeyId='1'>AAAA</preKeyPublic><preKeyPublic>AAAA</preKeyPublic><x/></prekeys>");
    assert_eq!(
        Bundle::parse(&noisy.parse().unwrap()).unwrap(),
        Parsed {
            value: bundle(),
            rubbish_count: 3
        }
    );
}

#[test]
fn a_bundle_without_a_part_is_named_by_that_part() {
    for part in [
        "signedPreKeyPublic",
        "signedPreKeySignature",
        "identityKey",
        "prekeys",
    ] {
        let mut element = bundle().to_element();
        element.remove_child(part, NS).unwrap();
        assert_eq!(Bundle::parse(&element), Err(WireError::Missing(part)));
    }
}

#[test]
fn a_message_survives_a_round_trip_with_its_header_in_any_order() {
    let text = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27'><iv>AAAAAAAAAAAAAAAA</iv>\
        <key rid='1' prekey='true'>AQ==</key><key prekey='0' rid='1'>Ag==</key><key rid='2' prekey='1'>Aw==</key><key rid='3'>BA==</key>\
        </header><payload>AAAA</payload></encrypted>";
    let parsed = Encrypted::parse(&text.parse().unwrap()).unwrap();
    assert_eq!(parsed.rubbish_count, 0);
    let flags: Vec<_> = parsed
        .value
        .keys
        .iter()
        .map(|key| (key.device, key.is_pre_key))
        .collect();
    assert_eq!(flags, [(1, true), (1, false), (2, true), (3, false)]);
    assert_eq!(parsed.value.keys_for(device(1)).count(), 2);
    assert_eq!(parsed.value.iv.as_ref().map(Vec::len), Some(12));
    assert_eq!(
        Encrypted::parse(&parsed.value.to_element()).unwrap(),
        parsed
    );
}

#[test]
fn of_many_keys_only_those_that_are_wanted_are_read() {
    let text = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='27'><key rid='1'>AQ==</key>\
        <key rid='2'>!</key><key rid='2'>Ag==</key><key rid='x'>Aw==</key><key rid='1'>BA==</key></header></encrypted>";
    let parsed = Encrypted::parse_where(&text.parse().unwrap(), |device| device == 1).unwrap();
    let keys: Vec<_> = parsed.value.keys.iter().map(|key| key.data[0]).collect();
    assert_eq!(keys, [1, 4]);
    assert_eq!(parsed.rubbish_count, 1, "of another device's nobody knows");
}

#[test]
fn a_key_transport_has_no_payload_and_a_payload_has_an_iv() {
    let parse = |inner: &str| {
        Encrypted::parse(
            &format!("<encrypted xmlns='eu.siacs.conversations.axolotl'>{inner}</encrypted>")
                .parse()
                .unwrap(),
        )
    };
    assert_eq!(parse("<header sid='1'/>").unwrap().value.payload, None);
    assert_eq!(
        parse("<header sid='1'/><payload>AAAA</payload>"),
        Err(WireError::Missing("iv"))
    );
    assert_eq!(
        parse("<header sid='1'><iv>!</iv></header>"),
        Err(WireError::Unreadable("iv"))
    );
    assert_eq!(
        parse("<header sid='x'/>"),
        Err(WireError::Unreadable("sid"))
    );
    assert_eq!(parse(""), Err(WireError::Missing("header")));
    assert_eq!(
        parse("<header sid='1'><key/><key rid='1'>!</key><x/></header>")
            .unwrap()
            .rubbish_count,
        3
    );
}
