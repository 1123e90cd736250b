use std::collections::BTreeMap;

/// What the suite keeps in sessions: texts with bytes. A standard type, so that any codec can handle it and
/// this crate need not name one.
pub type Payload = BTreeMap<String, Vec<u8>>;

const NUMBER: &str = "number";

/// The payload that the races use: told apart by its number.
pub(crate) fn numbered(number: u64) -> Payload {
    Payload::from([(NUMBER.to_owned(), number.to_le_bytes().to_vec())])
}

/// The number in a numbered payload.
pub(crate) fn number(payload: &Payload) -> Option<u64> {
    let bytes = payload.get(NUMBER)?.as_slice();
    bytes.try_into().ok().map(u64::from_le_bytes)
}

/// In a history: the number, or how large it is.
pub(crate) fn describe(payload: &Payload) -> String {
    number(payload).map_or_else(
        || {
            let bytes: usize = payload
                .iter()
                .map(|(text, bytes)| text.len() + bytes.len())
                .sum();
            format!("({bytes} bytes)")
        },
        |number| format!("#{number}"),
    )
}

/// One long value that no codec can make shorter.
pub(crate) fn noise(length: usize) -> Payload {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes = (0..length).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    });
    Payload::from([("noise".to_owned(), bytes.collect())])
}

/// Payloads that codecs, columns and connections like to spoil.
pub(crate) fn awkward() -> Vec<Payload> {
    let texts = [
        "",
        "\0",
        "a\0b",
        " a ",
        "'; DROP TABLE sessions; --",
        "\"\\/\r\n\t\u{1b}",
        "é",
        "e\u{301}",
        "ﬀ ß ı İ",
        "\u{202e}txet",
        "\u{feff}",
        "\u{ffff}\u{10ffff}",
        "😀",
        "%s {} $1 :a ?",
    ];
    let texts = texts
        .into_iter()
        .map(|text| (text.to_owned(), text.as_bytes().to_vec()));
    vec![
        Payload::new(),
        Payload::from([("every byte".to_owned(), (0..=255).collect())]),
        Payload::from([("zeros".to_owned(), vec![0; 512])]),
        texts.collect(),
    ]
}
