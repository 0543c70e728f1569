// The taps of `Words` of elements of 8 bits, which lie as the elements do.

alias TapWords = Words;

fn words_of_taps(taps: TapWords) -> Words {
    // Bit 6 instead of bit 7: no tap has either.
    return (taps & Words(0x7f7f7f7fu)) | ((taps >> Words(1u)) & Words(0x40404040u));
}

// The taps of windows as they lie in memory. Each word of `bytes` has the taps of its windows, as bytes from bit 0.
fn taps_of_words(bytes: Words) -> TapWords {
    return bytes;
}
