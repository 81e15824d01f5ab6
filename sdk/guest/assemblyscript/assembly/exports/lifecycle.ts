import * as abi from "../abi";
import * as config from "../config";
import { served } from "../lifecycle";

const answer = memory.data(20, 4);

export function hpmq_lifecycle_configure(): usize {
  abi.enter();
  const made = served().configure(config.json());
  const error = made.error;
  if (error !== null) {
    store<u8>(answer, 1);
    abi.putText(answer + 4, error);
  } else {
    store<u8>(answer, 0);
    abi.putTexts(answer + 4, made.interest.inbound);
    abi.putTexts(answer + 12, made.interest.outbound);
  }
  abi.leave();
  return answer;
}

export { cabi_realloc } from "../abi";
