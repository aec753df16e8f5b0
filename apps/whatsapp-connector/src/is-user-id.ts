/** Two letters of the country, a dot, and up to 128 letters and digits; a parent id has `ENT.` between (contract, section 9). */
const userIdPattern = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/;

/** Whether an address is a business-scoped user id: it stands for a contact whose number we are not told. */
export function isUserId(address: string): boolean {
  return userIdPattern.test(address);
}
