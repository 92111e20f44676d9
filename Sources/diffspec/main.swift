print("diffspec")
