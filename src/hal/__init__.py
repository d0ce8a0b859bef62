"""The services of the HAL network: gateway, speech, engine and client."""
