// Signed ports: what is written to the side topics is signed, and what is read of them checked.

import type { LetterProducer } from "./letter_writer.ts";
import type { LetterReader, LetterSender } from "./ports.ts";
import type { Signatures } from "./signatures.ts";

/** Reads records as {@link Signatures.check} gives them. */
export function checkingReader(reader: LetterReader, signatures: Signatures): LetterReader {
  return {
    read: (ranges, visit, signal) =>
      reader.read(ranges, (records) => visit(records.map((each) => signatures.check(each))), signal),
  };
}

/** Signs dead letters. */
export function signingProducer(producer: LetterProducer, signatures: Signatures): LetterProducer {
  return { write: (record) => producer.write(signatures.sign(record)) };
}

/** Signs replays and marks; refuses where nobody would believe them. */
export function signingSender(sender: LetterSender, signatures: Signatures): LetterSender {
  return {
    send: async (records, more = () => []) => {
      signatures.requireSecret();
      return await sender.send(
        records.map((each) => signatures.sign(each)),
        (offsets) => more(offsets).map((each) => signatures.sign(each)),
      );
    },
    close: () => sender.close(),
  };
}
