use eft_types::{BareJid, DeviceId};

use super::*;
use crate::xml::encode_element;
use crate::{Element, ns};

fn device(id: u32) -> DeviceId {
    DeviceId::new(id).unwrap()
}

#[test]
fn a_list_carries_labels_unchanged() {
    let text = "<devices xmlns='urn:xmpp:omemo:2'><device id='1201' label='Phone &amp; Co' labelsig='AAECAw='/><device id='77'/></devices>";
    let parsed = DeviceList::parse(&text.parse().unwrap()).unwrap();
    assert_eq!(parsed.rubbish_count, 0);
    assert_eq!(parsed.value.devices[0].label.as_deref(), Some("Phone & Co"));
    assert_eq!(
        parsed.value.devices[0].label_signature.as_deref(),
        Some("AAECAw=")
    );
    assert_eq!(
        parsed.value.devices[0].label_signature_bytes(),
        Some(vec![0, 1, 2, 3])
    );
    assert_eq!(parsed.value.devices[1].label_signature_bytes(), None);
    assert_eq!(encode_element(&parsed.value.to_element()).unwrap(), text);
}

#[test]
fn rubbish_on_a_list_is_counted_and_left_out() {
    let text = "<devices xmlns='urn:xmpp:omemo:2'><device id='5'/><device id='0'/><device/><device id='x'/>\
        <device id='5' label='again'/><device id='4294967296'/><device id='-1'/><other id='6'/>\
        <device xmlns='n' id='7'/><device id=' 8 '/><device id='4294967295'/></devices>";
    let parsed = DeviceList::parse(&text.parse().unwrap()).unwrap();
    let ids: Vec<u32> = parsed
        .value
        .devices
        .iter()
        .map(|device| device.id.as_u32())
        .collect();
    assert_eq!(ids, [5, 8, u32::MAX]);
    assert_eq!(parsed.rubbish_count, 8);
    let empty = DeviceList::parse(&"<devices xmlns='urn:xmpp:omemo:2'/>".parse().unwrap()).unwrap();
    assert!(empty.value.devices.is_empty(), "an empty list is a list");
    assert_eq!(
        DeviceList::parse(&"<list xmlns='urn:xmpp:omemo:2'/>".parse().unwrap()),
        None
    );
}

fn bundle() -> Bundle {
    Bundle {
        signed_pre_key_id: 3,
        signed_pre_key: vec![1; 32],
        signed_pre_key_signature: vec![2; 64],
        identity_key: vec![3; 32],
        pre_keys: vec![(1, vec![4; 32]), (9, vec![5; 32])],
    }
}

#[test]
fn a_bundle_survives_a_round_trip_in_any_order_and_with_line_breaks() {
    let element = bundle().to_element();
    assert_eq!(
        Bundle::parse(&element).unwrap(),
        Parsed {
            value: bundle(),
            rubbish_count: 0
        }
    );

    let mut reversed = Element::bare("bundle", ns::OMEMO_2);
    let mut children: Vec<Element> = element.children().cloned().collect();
    children.reverse();
    for child in children {
        reversed.append_child(child);
    }
    assert_eq!(Bundle::parse(&reversed).unwrap().value, bundle());

    let text = encode_element(&element).unwrap();
    let wrapped = text.replace("AQEBAQEB", "AQEB\n   AQEB\r\n");
    assert_ne!(text, wrapped);
    assert_eq!(
        Bundle::parse(&wrapped.parse().unwrap()).unwrap().value,
        bundle()
    );
}

#[test]
fn a_bundle_without_a_part_is_named_by_that_part() {
    for (part, error) in [
        ("spk", WireError::Missing("spk")),
        ("spks", WireError::Missing("spks")),
        ("ik", WireError::Missing("ik")),
        ("prekeys", WireError::Missing("prekeys")),
    ] {
        let mut element = bundle().to_element();
        element.remove_child(part, ns::OMEMO_2).unwrap();
        assert_eq!(Bundle::parse(&element), Err(error));
    }
    let text = encode_element(&bundle().to_element()).unwrap();
    let parse = |text: String| Bundle::parse(&text.parse().unwrap());
    assert_eq!(
        parse(text.replace("<spk id='3'>", "<spk>")),
        Err(WireError::Unreadable("spk id"))
    );
    assert_eq!(
        parse(text.replace("<ik>", "<ik>!")),
        Err(WireError::Unreadable("ik"))
    );
    assert_eq!(
        parse(text.replace("omemo:2", "omemo:1")),
        Err(WireError::WrongElement)
    );
}

#[test]
fn unreadable_prekeys_are_counted_and_id_zero_is_kept_for_the_engine_to_judge() {
    let text = encode_element(&bundle().to_element()).unwrap().replace(
        "</prekeys>",
        "<pk id='0'>AAAA</pk><pk id='9'>AAAA</pk><pk id='x'>AAAA</pk><pk>AAAA</pk><pk id='7'></pk><pk id='8'>!</pk><junk/></prekeys>",
    );
    let parsed = Bundle::parse(&text.parse().unwrap()).unwrap();
    let ids: Vec<u32> = parsed.value.pre_keys.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [1, 9, 0]);
    assert_eq!(parsed.rubbish_count, 6);
}

fn encrypted() -> Encrypted {
    let key = |device, is_key_exchange| EncryptedKey {
        device,
        is_key_exchange,
        data: vec![7; 5],
    };
    Encrypted {
        sender_device: 27,
        recipients: vec![
            Recipient {
                jid: BareJid::new("a@b.example").unwrap(),
                keys: vec![key(1, true), key(2, false)],
            },
            Recipient {
                jid: BareJid::new("me@b.example").unwrap(),
                keys: vec![key(1, false)],
            },
        ],
        payload: Some(vec![9; 48]),
    }
}

#[test]
fn a_message_survives_a_round_trip() {
    let text = encode_element(&encrypted().to_element()).unwrap();
    assert!(
        text.contains("<key kex='true' rid='1'>BwcHBwc=</key><key rid='2'>"),
        "{text}"
    );
    assert_eq!(
        Encrypted::parse(&text.parse().unwrap()).unwrap(),
        Parsed {
            value: encrypted(),
            rubbish_count: 0
        }
    );
    let empty = Encrypted {
        payload: None,
        ..encrypted()
    };
    assert_eq!(Encrypted::parse(&empty.to_element()).unwrap().value, empty);
}

#[test]
fn of_many_keys_only_those_that_are_wanted_are_read() {
    let text = "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='27'><keys jid='a@b.example'><key rid='1'>AQ==</key>\
        <key rid='2'>!</key></keys><keys jid='me@b.example'><key rid='2'>Ag==</key><key rid='1'>Aw==</key></keys></header></encrypted>";
    let parsed = Encrypted::parse_where(&text.parse().unwrap(), |device| device == 1).unwrap();
    assert_eq!(parsed.rubbish_count, 0);
    let keys = parsed.value.recipients.iter().flat_map(|to| &to.keys);
    let keys: Vec<_> = keys.map(|key| key.data[0]).collect();
    assert_eq!(keys, [1, 3]);
}

#[test]
fn keys_are_found_by_address_and_device() {
    let text = "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AAAA</payload><header sid='27'>\
        <keys jid='ME@B.example'><key rid='1'>AQ==</key><key rid='1' kex='1'>Ag==</key><key rid='2'>Aw==</key></keys>\
        <keys jid='a@b.example'><key rid='1'>BA==</key></keys>\
        <keys jid='me@b.example'><key rid='1'>BQ==</key></keys></header></encrypted>";
    let parsed = Encrypted::parse(&text.parse().unwrap()).unwrap().value;
    let me = BareJid::new("me@b.example").unwrap();
    let data: Vec<u8> = parsed
        .keys_for(&me, device(1))
        .map(|key| key.data[0])
        .collect();
    assert_eq!(data, [1, 2, 5]);
    assert_eq!(parsed.keys_for(&me, device(3)).count(), 0);
    assert_eq!(
        parsed
            .keys_for(&BareJid::new("x@b.example").unwrap(), device(1))
            .count(),
        0
    );
}

#[test]
fn rubbish_in_a_message_is_not_fatal_where_something_is_left() {
    let text = "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='0'><keys><key rid='1'>AQ==</key></keys><keys jid='@'/>\
        <junk/><keys jid='a@b.example'><key>AQ==</key><key rid='1'>!</key><key rid='x'>AQ==</key><junk/><key rid='0' kex='yes'>AQ==</key></keys>\
        </header></encrypted>";
    let parsed = Encrypted::parse(&text.parse().unwrap()).unwrap();
    assert_eq!(parsed.rubbish_count, 7);
    assert_eq!(parsed.value.sender_device, 0);
    assert_eq!(parsed.value.recipients.len(), 1);
    let key = &parsed.value.recipients[0].keys[0];
    assert!(key.device == 0 && !key.is_key_exchange);
}

#[test]
fn a_message_without_its_frame_is_an_error() {
    let parse = |inner: &str| {
        Encrypted::parse(
            &format!("<encrypted xmlns='urn:xmpp:omemo:2'>{inner}</encrypted>")
                .parse()
                .unwrap(),
        )
    };
    assert_eq!(parse(""), Err(WireError::Missing("header")));
    assert_eq!(parse("<header/>"), Err(WireError::Unreadable("sid")));
    assert_eq!(
        parse("<header sid='-5'/>"),
        Err(WireError::Unreadable("sid"))
    );
    assert_eq!(
        parse("<header sid='5'/><payload>!</payload>"),
        Err(WireError::Unreadable("payload"))
    );
    assert_eq!(
        parse("<header sid='5'/><payload/>"),
        Err(WireError::Unreadable("payload"))
    );
    assert_eq!(
        Encrypted::parse(&Element::bare("encrypted", ns::OMEMO_LEGACY)),
        Err(WireError::WrongElement)
    );
}

#[test]
fn debug_shows_no_bytes() {
    for text in [format!("{:?}", encrypted()), format!("{:?}", bundle())] {
        assert!(
            !text.contains("7, 7") && !text.contains("1, 1") && !text.contains("9, 9"),
            "{text}"
        );
    }
}

#[test]
fn an_opt_out_is_found_in_the_content() {
    for reason in [None, Some("lost my phone".to_owned())] {
        let opt_out = OptOut { reason };
        assert_eq!(
            OptOut::find(&[Element::bare("x", "n"), opt_out.to_element()]),
            Some(opt_out)
        );
    }
    assert_eq!(OptOut::find(&[]), None);
}

proptest::proptest! {
    #[test]
    fn arbitrary_trees_never_panic(
        parts in proptest::collection::vec(("(header|keys|key|payload|bundle|spk|ik|prekeys|pk|device)", "(sid|rid|jid|id|kex)", "[a-z0-9@.=/ ]{0,8}"), 0..12),
    ) {
        let mut root = Element::bare("encrypted", ns::OMEMO_2);
        let mut bundle = Element::bare("bundle", ns::OMEMO_2);
        let mut list = Element::bare("devices", ns::OMEMO_2);
        for (name, attr, value) in parts {
            let text = format!("<{name} xmlns='urn:xmpp:omemo:2' {attr}='{value}'>{value}</{name}>");
            let child: Element = text.parse().unwrap();
            root.append_child(child.clone());
            bundle.append_child(child.clone());
            list.append_child(child);
        }
        let _ = Encrypted::parse(&root);
        let _ = Bundle::parse(&bundle);
        let _ = DeviceList::parse(&list);
    }
}
