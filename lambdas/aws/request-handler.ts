/** No call hangs longer than this; the SDK then tries again, three times in all. */
export const requestHandler = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true }
