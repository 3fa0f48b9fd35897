"""What each refusal means, in words for people: the checks of a whole corpus and those of the import."""

from __future__ import annotations

from corpora.faults import FAULT

CORPUS_CHECKS = {
    "in_a_test_set": "dev or test of another corpus holds the very same sound",
    "donated_before": "another donation brought the very same sound: that copy is kept",
    "numbers_in_test": "numbers were spelled out by guess, which dev and test must not hold",
    "withdrawn": "its donor has withdrawn it",
    "flagged_by_listener": "a listener says that it is bad",
    "duplicate_id": "an utterance with the same id came before",
    "split_bridge": "a call between speakers of different splits is left out of all of them",
    "same_audio_other_text": "the same sound appears with another text",
    "duplicate_audio": "the same sound and text appear more than once",
    "unusual_pace": "much faster or slower than this corpus is read: is it the text of another sound?",
}


# Refusals of importers, audio.py and transcript.py, in plain words for the report.
IMPORT_CHECKS = {
    FAULT: "an error of the importer itself that nobody foresaw: please report it",
    "known_defect": "a segment that is known to be wrong in this corpus",
    "conflicting_copies": "several files of one id with different contents",
    "bad_side": "a side of a call that is neither A nor B",
    "bad_channel": "a channel that the recording does not have",
    "split_leak": "a talk that is also in test or dev",
    "audio_missing": "there is text, but its recording is not in the source",
    "transcript_missing": "there is a recording, but no text belongs to it",
    "audio_ambiguous": "the text may belong to several recordings",
    "audio_empty": "the recording holds nothing",
    "audio_corrupt": "the recording is damaged",
    "checksum_mismatch": "the samples do not have the sum that the file's header states",
    "audio_truncated": "the recording was cut short",
    "audio_clock": "a sound whose clock cannot be believed",
    "audio_unreadable": "not a recording that can be read",
    "archive_truncated": "the archive itself was cut short or is damaged",
    "unsafe_member": "a member that must not be unpacked",
    "name_twice": "a file whose name stands twice in its source",
    "source_unreadable": "a file could not be read",
    "bad_line": "a line that does not have the form of its file",
    "bad_times": "a segment that ends before it begins",
    "overlapping_cue": "cues of one speaker that overlap",
    "subtitle_length": "a subtitle too short or too long to trust",
    "two_speakers": "two people at once on one channel",
    "channel_unknown": "nobody says whose channel it is",
    "text_ambiguous": "several texts for one recording",
    "needs_alignment": "text without times: it waits in quarantine",
    "unsupported_document": "a kind of document that is not read",
    "unsafe_xml": "XML with entities, which are never resolved",
    "piped_audio": "a command in place of a recording, never executed",
    "span_past_end": "a segment beyond the end of its recording",
    "encoding": "bytes that are not the encoding the file should have",
    "id_mismatch": "an id that does not fit the place it stands in",
    "empty_text": "no words",
    "noise_only": "nothing but noises or notes",
    "bad_chars": "letters that are not in the alphabet",
    "numbers": "digits, which can be read in more than one way",
    "symbol": "a sign without a certain spoken form",
    "unknown_tag": "a tag that no table knows",
    "partial_word": "a word that was not spoken in full",
    "unintelligible": "speech that nobody understood",
    "uncertain": "words the transcriber was not sure of",
    "skipped_speech": "speech that was not written down",
    "unknown_word": "a spoken word is missing in the text",
    "voted_down": "the listeners said no",
    "not_validated": "too few listeners have decided on it, or they disagree",
}
