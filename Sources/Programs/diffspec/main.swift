import Commands

DiffSpec.main()
