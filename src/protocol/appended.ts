/** What an append has come to, as HTTP answers it and as frames carry it: `"ids"`, `"version"`, `"duplicate"`. */
import type { Appended } from '../event/appended.ts';
import { asArray, asEventId, asFlag, type JsonObject, objectIn } from './json-members.ts';

/** As members of a JSON object. Event IDs hold no character that JSON would have to escape. */
export function appendedMembers({ ids, version, duplicate }: Appended): string {
  const list = ids.map((id) => `"${id}"`).join(',');
  return `"ids":[${list}],"version":"${version}","duplicate":${duplicate}`;
}

/** The members again, out of the object that has them. @throws InvalidInput naming the field */
export function appendedIn(object: JsonObject): Appended {
  const ids = asArray(object.ids, 'ids');
  return {
    ids: ids.map((id, index) => asEventId(id, `ids[${index}]`)),
    version: asEventId(object.version, 'version'),
    duplicate: asFlag(object.duplicate, 'duplicate'),
  };
}

/** The body of an answer to an append over HTTP. */
export function writeAppended(appended: Appended): string {
  return `{${appendedMembers(appended)}}`;
}

/** @throws MillraceError `invalid_json`, InvalidInput */
export function readAppended(body: string): Appended {
  return appendedIn(objectIn(body, 'the answer to an append'));
}
